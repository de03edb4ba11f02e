"""`python -m demo.film`: make the demo's film and its captions again, with ffmpeg.

What it makes is kept in git, so that nobody needs ffmpeg to see it.

Flat inks on coloured stock, three minutes and twelve seconds: one who listens and one who speaks, in eight scenes.
"""

import math
import shutil
import subprocess
import sys
from collections.abc import Iterator

from demo.film.files import CAPTIONS, FILM

WIDE, HIGH, A_SECOND = 640, 360, 5
SCENE_SECONDS = 24
# Stock, the listener's ring, the speaker's disc: pairs of the house's print inks.
SCENES = (
    ("bfd9e2", "14506b", "d5532f", "Welcome. This is the demonstration's film, with nobody in it."),
    ("efdca6", "5c7a45", "d5532f", "Somebody speaks. Somebody else makes room for it."),
    ("efcdbf", "6d3a4c", "14506b", "At first they keep a distance that both can bear."),
    ("cdd7b4", "5c7a45", "e2a42c", "Pacing is not slow. Pacing is matched."),
    ("dcd9cf", "14506b", "e2a42c", "When the step was too large, somebody says so."),
    ("1b4153", "7cbdd2", "f08461", "At night the same circles, and another light."),
    ("efdca6", "6d3a4c", "5c7a45", "What was apart has come a little nearer."),
    ("bfd9e2", "14506b", "d5532f", "Thank you for watching. Take a moment before you go on."),
)
Ink = bytes


def main() -> None:
    """Write both files beside this one. Exits with a sentence when ffmpeg is missing or fails."""
    if shutil.which("ffmpeg") is None:
        sys.exit("ffmpeg is not installed, so the film that came with the checkout stays: apt-get install ffmpeg")
    CAPTIONS.write_text(captions(), encoding="utf-8")
    # fmt: off
    command = [
        "ffmpeg", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDE}x{HIGH}", "-r", str(A_SECOND), "-i", "-",
        "-c:v", "libx264", "-profile:v", "main", "-preset", "veryslow", "-tune", "animation", "-crf", "36",
        "-g", str(A_SECOND * 12), "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-map_metadata", "-1", str(FILM),
    ]
    # fmt: on
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for picture in pictures():
            encoder.stdin.write(picture)
        encoder.stdin.close()
    if encoder.returncode:
        sys.exit("ffmpeg could not make the film")
    print(f"{FILM.name}: {FILM.stat().st_size // 1024} kB, {len(SCENES) * SCENE_SECONDS} s; {CAPTIONS.name}")


def captions() -> str:
    """One cue a scene."""
    cues = []
    for number, (_, _, _, words) in enumerate(SCENES):
        start = number * SCENE_SECONDS
        cues.append(f"{number + 1}\n{clock(start + 1)} --> {clock(start + SCENE_SECONDS - 1)}\n{words}\n")
    return "WEBVTT\n\n" + "\n".join(cues)


def clock(seconds: int) -> str:
    return f"00:{seconds // 60:02d}:{seconds % 60:02d}.000"


def pictures() -> Iterator[bytes]:
    """Every frame as rows of red, green and blue."""
    for stock, ring, disc, _ in SCENES:
        for n in range(SCENE_SECONDS * A_SECOND):
            yield picture(n / (SCENE_SECONDS * A_SECOND), ink(stock), ink(ring), ink(disc))


def picture(at: float, stock: Ink, ring: Ink, disc: Ink) -> bytes:
    """A ring on the left with an opening, and a disc that comes to it and goes again; `at` runs from 0 to 1."""
    rows = bytearray(stock * (WIDE * HIGH))
    breath = 4 * math.sin(at * 6 * math.pi)
    near = (1 - math.cos(at * 2 * math.pi)) / 2
    circle(rows, 270, 180, 110 + breath, ring)
    circle(rows, 270, 180, 72 + breath, stock)
    circle(rows, 480 - 95 * near, 180 + 12 * math.sin(at * 4 * math.pi), 46, stock)
    circle(rows, 480 - 95 * near, 180 + 12 * math.sin(at * 4 * math.pi), 36, disc)
    return bytes(rows)


def circle(rows: bytearray, x: float, y: float, radius: float, colour: Ink) -> None:
    for line in range(max(int(y - radius), 0), min(int(y + radius) + 1, HIGH)):
        half = math.sqrt(max(radius**2 - (line - y) ** 2, 0))
        first, last = max(round(x - half), 0), min(round(x + half), WIDE)
        if first < last:
            start = (line * WIDE + first) * 3
            rows[start : start + (last - first) * 3] = colour * (last - first)


def ink(colour: str) -> Ink:
    return bytes.fromhex(colour)


if __name__ == "__main__":
    main()
