"""What a file is by what it holds, and whether a recording can be made of it. Pure: ffprobe's answer in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recordings.film import LONGEST_SECONDS

BROKEN = (
    "It is not a film, or it is not whole: perhaps it was cut off while it was exported. Nothing else is changed. "
    "Please export it again as MP4 and upload it once more."
)
SOUND_ONLY = (
    "It has sound and no picture. Sound alone can be used when it is an M4A file, as Zoom makes them. Nothing else is "
    "changed. Please save it as M4A, or upload the film."
)
NO_TRACKS = "There is neither a picture nor sound in it. Nothing else is changed. Please check which file you chose."
TOO_LONG = "It says that it is longer than 48 hours. Nothing else is changed. Please check which file you chose."


class NotAFilm(ValueError):
    """No recording can be made of the file; the message says so to whoever sent it."""


@dataclass(frozen=True)
class Facts:
    """One file. `picture` and `sound` are codecs, '' where there is no such track; `seconds` is 0 where it is unsaid.

    `alike` is the same for files whose tracks can be put one after the other without being made again.
    """

    container: str
    seconds: float
    bit_rate: int = 0
    picture: str = ""
    picture_at: int = 0
    width: int = 0
    height: int = 0
    pixels: str = ""
    frames: str = ""
    turned: bool = False
    sound: str = ""
    sound_at: int = 0
    channels: int = 0
    alike: str = ""

    def told(self) -> dict[str, Any]:
        return asdict(self)


def facts(said: Mapping[str, Any]) -> Facts:
    """The facts in ffprobe's JSON: the first moving picture and the first sound count. Raises NotAFilm."""
    streams = said.get("streams") or []
    picture = next((each for each in streams if _is_picture(each)), None)
    sound = next((each for each in streams if each.get("codec_type") == "audio"), None)
    about = said.get("format") or {}
    container = str(about.get("format_name", ""))
    seconds = _number(about.get("duration"))
    if picture is None and sound is None:
        raise NotAFilm(NO_TRACKS)
    if seconds > LONGEST_SECONDS:
        raise NotAFilm(TOO_LONG)
    if picture is None and not ("m4a" in container and sound and sound.get("codec_name") == "aac" and seconds):
        raise NotAFilm(SOUND_ONLY)
    picture, sound = picture or {}, sound or {}
    return Facts(
        container=container,
        seconds=seconds,
        bit_rate=int(_number(about.get("bit_rate"))),
        picture=str(picture.get("codec_name", "")),
        picture_at=int(picture.get("index", 0)),
        width=int(picture.get("width", 0)),
        height=int(picture.get("height", 0)),
        pixels=str(picture.get("pix_fmt", "")),
        frames=_rate(str(picture.get("avg_frame_rate", ""))),
        turned=any("rotation" in each for each in picture.get("side_data_list") or []),
        sound=str(sound.get("codec_name", "")),
        sound_at=int(sound.get("index", 0)),
        channels=int(sound.get("channels", 0)),
        alike=":".join(
            str(each.get(name, ""))
            for each in (picture, sound)
            for name in ("codec_name", "width", "height", "time_base", "sample_rate", "channels", "extradata_hash")
        ),
    )


def remark(found: Facts) -> str:
    """What a person should know before publishing; '' where there is nothing."""
    if not found.sound:
        return "This film has no sound."
    if not found.picture:
        return "This is sound without a picture: people hear it over a plain picture."
    return ""


def _is_picture(stream: Mapping[str, Any]) -> bool:
    """A moving picture; the cover of a sound file is none."""
    return stream.get("codec_type") == "video" and not (stream.get("disposition") or {}).get("attached_pic")


def _number(value: object) -> float:
    try:
        found = float(str(value))
    except ValueError:
        return 0.0
    return found if 0 < found < 10**12 else 0.0


def _rate(text: str) -> str:
    """Frames a second as ffmpeg writes them (30000/1001), at most 30; 25 where it is unsaid."""
    above, _, below = text.partition("/")
    if not (above.isdigit() and (below or "1").isdigit() and int(above) and int(below or 1)):
        return "25"
    return "30" if int(above) > 30 * int(below or 1) else text
