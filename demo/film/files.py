"""Where the demo's film and its captions are."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
FILM, CAPTIONS = HERE / "film.mp4", HERE / "film.vtt"
SECONDS = 192
