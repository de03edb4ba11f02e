"""Bytes on their way into a store and out of it: in chunks, counted, and closed when nobody wants more."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import IO, Protocol

from lib import web

CHUNK = 64 * 1024


class TooLarge(web.Refusal):
    """More bytes than a film may have."""

    status = 413
    refusal = "film_too_large"
    title = "This film is too large"


class Source(Protocol):
    """Where bytes come from: an open file, or a store's answer."""

    def read(self, amount: int, /) -> bytes: ...

    def close(self) -> None: ...


class Counted:
    """A stream on its way in, `size` bytes so far. A read raises TooLarge as soon as there are more than `most`."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self.stream = stream
        self.most = most
        self.size = 0

    def read(self, amount: int = CHUNK) -> bytes:
        """All of `amount` bytes unless the stream ends: a store takes its parts whole."""
        found = bytearray()
        while len(found) < amount and (chunk := self.stream.read(min(CHUNK, amount - len(found)))):
            found += chunk
            self.size += len(chunk)
            if self.size > self.most:
                raise TooLarge(
                    f"A film may have {self.most // 1024 // 1024} MB and this one has more. Nothing was kept. Export "
                    f"it with a smaller picture, 720p is plenty, and upload it again."
                )
        return bytes(found)


class Stream:
    """Bytes in chunks as a server asks for them; the source is closed at its end, or when whoever reads goes away."""

    def __init__(self, source: Source, length: int) -> None:
        self.source = source
        self.left = length

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> bytes:
        chunk = self.source.read(min(CHUNK, self.left)) if self.left else b""
        if not chunk:
            self.close()
            raise StopIteration
        self.left -= len(chunk)
        return chunk

    def close(self) -> None:
        self.source.close()


class Ending:
    """A body whose time may run out while it is sent: then nothing more leaves, and its reader finds it cut off."""

    def __init__(self, body: "Stream | Chain", left: timedelta) -> None:
        self.body = body
        self.ends = time.monotonic() + left.total_seconds()

    def __iter__(self) -> "Ending":
        return self

    def __next__(self) -> bytes:
        if time.monotonic() >= self.ends:
            self.close()
            raise StopIteration
        return next(self.body)

    def close(self) -> None:
        self.body.close()


class Chain:
    """Texts and streams one after the other, each stream opened when its turn comes; closed as one stream is."""

    def __init__(self, parts: list[bytes | Callable[[], Stream]]) -> None:
        self.parts = parts
        self.open: Stream | None = None

    def __iter__(self) -> "Chain":
        return self

    def __next__(self) -> bytes:
        while True:
            if self.open is not None:
                if chunk := next(self.open, b""):
                    return chunk
                self.open = None
            if not self.parts:
                raise StopIteration
            part = self.parts.pop(0)
            if isinstance(part, bytes):
                return part
            self.open = part()

    def close(self) -> None:
        self.parts.clear()
        if self.open is not None:
            self.open.close()
