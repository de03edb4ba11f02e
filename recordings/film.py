"""A film as a recording has it."""

from dataclasses import dataclass

from lib import web

MP4, WEBM = "video/mp4", "video/webm"
LONGEST_SECONDS = 48 * 60 * 60


class NoFilm(web.Refusal):
    """No film was sent."""

    status = 422
    refusal = "no_film"
    title = "There is no film"


@dataclass(frozen=True)
class Film:
    """A film that can be played: `seconds` is 0 where it does not say.

    `small` and `poster` are keys in the store or '', `chapters` are in its own times, `kept` are the stretches of the
    whole film that it holds, none where it is all of it.
    """

    content_type: str
    seconds: int
    small: str = ""
    poster: str = ""
    chapters: tuple[tuple[int, str], ...] = ()
    kept: tuple[tuple[int, int], ...] = ()
