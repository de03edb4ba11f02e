"""What ffmpeg is asked, worked out from facts alone: the whole film, the film with its cuts, a smaller one, a poster.

Pure. Output names are files of the private folder; each step says how much of the work it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recordings.cutting import Stretch
from recordings.ffmpeg import opened
from recordings.probing import Facts

WHOLE, CUT, SMALL, POSTER = "whole.mp4", "cut.mp4", "small.mp4", "poster.jpg"
LIST = "parts.txt"
HEAVY_BITS, HEAVY_LINES = 1_500_000, 720
COPYING, ENCODING = 1, 12  # how long a second of film takes, one against the other
WIDEST, TALLEST = 1920, 1080
SMALL_LINES = 480
PLAIN_PICTURE = "color=c=0x22303c:s=640x360:r=5"

_PICTURE = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p")
_SOUND = ("-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000")
_TO_MP4 = ("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn", "-movflags", "+faststart", "-f", "mp4")


@dataclass(frozen=True)
class Step:
    """One run of ffmpeg. `seconds` of film come out of it; `texts` are files it reads, by name."""

    arguments: tuple[str, ...]
    seconds: float
    weight: int
    texts: tuple[tuple[str, str], ...] = ()

    @property
    def share(self) -> float:
        """How much work it is, beside the others."""
        return max(self.seconds, 1) * self.weight

    @property
    def limit(self) -> int:
        """The seconds after which something is wrong."""
        return 900 + int(self.seconds) * (2 if self.weight == COPYING else 12)


def whole(parts: Sequence[tuple[Path, Facts]]) -> Step:
    """All parts one after the other, in a form that browsers play; nothing is made again where copying will do."""
    seconds = sum(found.seconds for _, found in parts)
    if len(parts) == 1:
        return _one(*parts[0])
    if all(keeps_picture(found) and keeps_sound(found) for _, found in parts) and _are_alike(parts):
        lines = "".join(f"file '{_quoted(file)}'\n" for file, _ in parts)
        read = ("-safe", "0", *opened(formats="concat,mov"), "-f", "concat", "-i", LIST)
        return Step((*read, "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", *_TO_MP4, WHOLE), seconds, COPYING,
                    ((LIST, lines),))  # fmt: skip
    return _joined(parts, seconds)


def cut(file: Path, found: Facts, stretches: Sequence[Stretch]) -> Step:
    """The stretches of a whole film, exact to the frame: made again, since a copy could begin only at a key frame."""
    graph = [f"[0:v:0]fps={found.frames}:start_time=0,split={len(stretches)}" + _names("p", stretches)]
    if found.sound:
        graph.append(f"[0:a:0]aresample=async=1:first_pts=0,asplit={len(stretches)}" + _names("s", stretches))
    for n, (first, last) in enumerate(stretches):
        graph.append(f"[p{n}]trim=start={first}:end={last},setpts=PTS-STARTPTS[v{n}]")
        if found.sound:
            graph.append(f"[s{n}]atrim=start={first}:end={last},asetpts=PTS-STARTPTS[a{n}]")
    graph.append(_one_after_another(len(stretches), has_sound=bool(found.sound)))
    return Step(
        (
            *opened(), "-i", f"file:{file}",
            "-filter_complex", ";".join(graph),
            *_outputs(has_sound=bool(found.sound)), CUT,
        ),
        sum(last - first for first, last in stretches),
        ENCODING,
    )  # fmt: skip


def is_heavy(found: Facts) -> bool:
    """Whether a slow line could not follow it."""
    return found.bit_rate > HEAVY_BITS or found.height > HEAVY_LINES


def small(file: Path, found: Facts) -> Step:
    """A smaller rendition for slow lines and telephones."""
    lines = min(SMALL_LINES, found.height or SMALL_LINES) // 2 * 2
    return Step(
        (
            *opened(), "-i", f"file:{file}", "-map", "0:v:0", "-map", "0:a:0?",
            "-vf", f"fps={found.frames},scale=-2:{lines}",
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-maxrate", "500k", "-bufsize", "1000k",
            "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k", "-ac", "2", *_TO_MP4, SMALL,
        ),
        found.seconds,
        ENCODING // 2,
    )  # fmt: skip


def poster(file: Path, found: Facts) -> Step:
    """One picture, from soon after the beginning."""
    at = min(found.seconds / 10, 10)
    return Step(
        (
            "-ss", f"{at:.3f}", *opened(), "-i", f"file:{file}", "-map", "0:v:0", "-frames:v", "1",
            "-vf", f"scale='min({WIDEST},iw)':-2", "-q:v", "4", "-f", "image2", "-update", "1", POSTER,
        ),
        1,
        ENCODING,
    )  # fmt: skip


def keeps_picture(found: Facts) -> bool:
    """Whether every browser plays its picture as it is."""
    is_seekable = "mp4" in found.container or "matroska" in found.container
    return is_seekable and found.picture == "h264" and found.pixels in ("yuv420p", "yuvj420p") and not found.turned


def keeps_sound(found: Facts) -> bool:
    return not found.sound or (found.sound == "aac" and found.channels <= 2)


def _one(file: Path, found: Facts) -> Step:
    read = (*opened(), "-i", f"file:{file}")
    if not found.picture:  # sound alone, under a plain picture
        tracks = ("-f", "lavfi", "-i", PLAIN_PICTURE, *read, "-map", "0:v:0", "-map", f"1:{found.sound_at}")
        kept = (*_PICTURE, "-tune", "stillimage", "-c:a", "copy", "-t", f"{found.seconds:.3f}")
        return Step((*tracks, *kept, *_TO_MP4, WHOLE), found.seconds, COPYING)
    tracks = ("-map", f"0:{found.picture_at}", *(("-map", f"0:{found.sound_at}") if found.sound else ()))
    copies = keeps_picture(found)
    picture = ("-c:v", "copy") if copies else ("-vf", _fitted(found), *_PICTURE)
    sound = (("-c:a", "copy") if keeps_sound(found) else _SOUND) if found.sound else ()
    return Step((*read, *tracks, *picture, *sound, *_TO_MP4, WHOLE), found.seconds, COPYING if copies else ENCODING)


def _joined(parts: Sequence[tuple[Path, Facts]], seconds: float) -> Step:
    """Parts that differ, made again in the size of the largest; what has no sound is silent, no picture is plain."""
    width = _even(min(max(found.width for _, found in parts) or 640, WIDEST))
    height = _even(min(max(found.height for _, found in parts) or 360, TALLEST))
    rate = next((found.frames for _, found in parts if found.picture), "25")
    has_sound = any(found.sound for _, found in parts)
    inputs: list[str] = []
    graph: list[str] = []
    number = 0
    for n, (file, found) in enumerate(parts):
        own, number = number, number + 1
        inputs += [*opened(), "-i", f"file:{file}"]
        picture, sound = f"[{own}:{found.picture_at}]", f"[{own}:{found.sound_at}]"
        if not found.picture:
            inputs += ["-f", "lavfi", "-t", f"{found.seconds:.3f}", "-i", PLAIN_PICTURE]
            picture, number = f"[{number}:v]", number + 1
        if has_sound and not found.sound:
            inputs += ["-f", "lavfi", "-t", f"{found.seconds:.3f}", "-i", "anullsrc=r=48000:cl=stereo"]
            sound, number = f"[{number}:a]", number + 1
        graph.append(
            f"{picture}scale={width}:{height}:force_original_aspect_ratio=decrease,"
            f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1,fps={rate}:start_time=0,format=yuv420p[v{n}]"
        )
        if has_sound:
            graph.append(f"{sound}aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo[a{n}]")
    graph.append(_one_after_another(len(parts), has_sound=has_sound))
    arguments = (*inputs, "-filter_complex", ";".join(graph), *_outputs(has_sound=has_sound), WHOLE)
    return Step(arguments, seconds, ENCODING)


def _outputs(*, has_sound: bool) -> tuple[str, ...]:
    tracks = ("-map", "[v]", *(("-map", "[a]") if has_sound else ()))
    return (*tracks, *_PICTURE, *(_SOUND if has_sound else ()), *_TO_MP4)


def _one_after_another(number: int, *, has_sound: bool) -> str:
    inputs = "".join(f"[v{n}]" + (f"[a{n}]" if has_sound else "") for n in range(number))
    return f"{inputs}concat=n={number}:v=1:a={int(has_sound)}[v]" + ("[a]" if has_sound else "")


def _names(letter: str, stretches: Sequence[Stretch]) -> str:
    return "".join(f"[{letter}{n}]" for n in range(len(stretches)))


def _fitted(found: Facts) -> str:
    """At most full HD, at most 30 frames a second, even sides as H.264 wants them."""
    size = f"scale='min({WIDEST},iw)':'min({TALLEST},ih)':force_original_aspect_ratio=decrease:force_divisible_by=2"
    return f"fps={found.frames},{size}"


def _even(side: int) -> int:
    return side // 2 * 2


def _are_alike(parts: Sequence[tuple[Path, Facts]]) -> bool:
    return len({found.alike for _, found in parts}) == 1 and "mp4" in parts[0][1].container


def _quoted(file: Path) -> str:
    return "file:" + str(file).replace("'", "'\\''")
