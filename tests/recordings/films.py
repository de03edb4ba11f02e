"""Tiny films, made once a run by ffmpeg: a second or two, 64 x 36."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PICTURE = ("-f", "lavfi", "-i", "testsrc=s={size}:r=10:d={seconds}")
SOUND = ("-f", "lavfi", "-i", "sine=frequency={tone}:d={seconds}")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac", "-b:a", "48k")


def ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)


def make(file: Path, codecs: Sequence[str], *, seconds: int = 2, size: str = "64x36", tone: int = 440) -> bytes:
    """A film with sound."""
    known = {"size": size, "seconds": seconds, "tone": tone}
    inputs = [each.format(**known) for each in (*PICTURE, *SOUND)]
    ffmpeg(*inputs, *codecs, str(file))
    return file.read_bytes()


@dataclass(frozen=True)
class Films:
    """What people upload. `broken` ends in its middle though its index, at the front, says otherwise."""

    mp4: bytes
    second: bytes
    larger: bytes
    webm: bytes
    silent: bytes
    m4a: bytes
    mp3: bytes
    broken: bytes
    long: bytes


def all_of_them(folder: Path) -> Films:
    mp4 = make(folder / "a.mp4", (*H264, *AAC))
    silent, m4a, mp3 = folder / "silent.mp4", folder / "a.m4a", folder / "a.mp3"
    ffmpeg("-i", str(folder / "a.mp4"), "-map", "0:v", "-c", "copy", str(silent))
    ffmpeg("-i", str(folder / "a.mp4"), "-map", "0:a", "-c", "copy", str(m4a))
    ffmpeg("-i", str(folder / "a.mp4"), "-map", "0:a", "-c:a", "libmp3lame", str(mp3))
    front = make(folder / "front.mp4", (*H264, *AAC, "-movflags", "+faststart"), seconds=8)
    return Films(
        mp4=mp4,
        second=make(folder / "b.mp4", (*H264, *AAC), tone=880),
        larger=make(folder / "c.mp4", (*H264, *AAC), size="128x96", seconds=1),
        webm=make(folder / "a.webm", ("-c:v", "libvpx", "-b:v", "100k", "-c:a", "libopus", "-ac", "2")),
        silent=silent.read_bytes(),
        m4a=m4a.read_bytes(),
        mp3=mp3.read_bytes(),
        broken=front[: len(front) // 2],
        long=front,
    )
