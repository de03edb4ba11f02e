"""The bytes of a film from Zoom, into the folder where films arrive, going on where they broke off. Touches no row."""

from collections.abc import Callable, Iterator

from meetings import zoom
from recordings import arriving

MOST_DROPS = 50


class OtherLength(zoom.ZoomRefused):
    """Zoom sends another number of bytes than it told of."""


def fetch(
    name: str,
    length: int,
    url: str,
    bearer: str,
    *,
    etag: str,
    noted: Callable[[str], None],
    progress: Callable[[int], None],
) -> None:
    """Fetch until all `length` bytes are safely on the disk under `name`, an upload's.

    Goes on by itself after a dropped line as long as every try brings something. `etag` is that of the bytes that are
    there; `noted` hears of another one before its bytes are written, `progress` of how many there are. Whatever is
    raised, the bytes that came are kept: ZoomUnreachable, TokenRefused, NotZooms, ZoomRefused, OtherLength, what
    `arriving.append` raises, and what the two callbacks do.
    """
    drops = 0
    has = _has(name, length)
    while has < length:
        before = has
        try:
            with zoom.sending(url, bearer, first=has, etag=etag) as sent:
                if sent.size is not None and sent.size != length:
                    raise OtherLength(
                        f"Zoom told of a film of {length} bytes and has one of {sent.size}. It may still be at work on "
                        "it. Nothing was kept in its place: try again later, or upload the film here."
                    )
                if sent.first != has:
                    _begin_again(name, length)
                    before = has = 0
                if sent.etag != etag:
                    etag = sent.etag
                    noted(etag)
                has = arriving.append(name, has, length, _told(sent.chunks, has, progress))
        except zoom.ZoomUnreachable:
            has = arriving.size(name)
            drops += 1
            if has <= before or drops > MOST_DROPS:
                raise
        else:
            if has <= before:
                raise zoom.ZoomUnreachable("it ended before its end")


def _told(chunks: Iterator[bytes], at: int, progress: Callable[[int], None]) -> Iterator[bytes]:
    """The chunks; that one is asked for says that those before it are written."""
    for chunk in chunks:
        yield chunk
        at += len(chunk)
        progress(at)


def _has(name: str, length: int) -> int:
    try:
        has = arriving.size(name)
    except FileNotFoundError:  # never begun, or begun on another machine
        arriving.make(name, length)
        return 0
    if has > length:
        _begin_again(name, length)
        return 0
    return has


def _begin_again(name: str, length: int) -> None:
    arriving.forget(name)
    arriving.make(name, length)
