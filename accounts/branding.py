"""How an organiser's own page looks: a colour that everybody can see, and a logo that is a picture and nothing else.

The colour is drawn as a band over the organiser's pages. WCAG 2.2 asks for 3:1 between the band and what it stands on
(1.4.11), our paper and our white, by day and by night; and for 4.5:1 between the band and the words on it (1.4.3).
"""

import re
import secrets
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from lib import settings

GROUNDS = {
    "our paper by day": "#f6f7f4",
    "white": "#ffffff",
    "our paper by night": "#10171b",
    "our sheets by night": "#172126",
}
LEAST = Fraction(3)
MOST_BYTES = 512 * 1024
TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LOGO = re.compile(r"[0-9a-f]{32}\.(png|jpg|webp)")


class ColourRefused(ValueError):
    """No colour, or too weak against one of the grounds; the message gives the ratio."""


class LogoRefused(ValueError):
    """No picture of a kind we serve, or too large."""


@dataclass(frozen=True)
class Logo:
    """A stored logo: where it is and what it is served as."""

    path: Path
    mimetype: str


def colour(typed: str) -> str:
    """A colour as it is stored: #rrggbb, or nothing for none. Raises ColourRefused."""
    text = typed.strip().lower()
    if not text:
        return ""
    found = text if text.startswith("#") else f"#{text}"
    if not _COLOUR.fullmatch(found):
        raise ColourRefused("A colour is written as # and six figures, such as #127694.")
    ratio, ground = min((contrast(found, each), name) for name, each in GROUNDS.items())
    if ratio < LEAST:
        raise ColourRefused(
            f"{found} has a contrast of {_shown(ratio)}:1 against {ground}; it takes 3:1 for everybody to see it. "
            f"Please choose a {'darker' if 'night' not in ground else 'lighter'} one."
        )
    return found


def words_on(band: str) -> str:
    """The colour of words on a band of `band`: white or black, whichever is easier to read.

    One of the two always has 4.5:1: the least they can both have is the root of 21, 4.58.
    """
    return max(("#ffffff", "#000000"), key=lambda each: contrast(band, each))


def sheet(band: str) -> str:
    """The style sheet of an organiser's pages: its band, for screens. Paper keeps its white and its black."""
    words = words_on(band)
    return (
        "@media screen {\n"
        f"  .organiser-band {{ background: {band}; color: {words}; }}\n"
        "  .organiser-band { padding: 1.5rem; border-radius: 3px; max-inline-size: none; }\n"
        f"  .organiser-band :is(a, .soft, .lead) {{ color: {words}; }}\n"
        f"  .organiser-band :focus-visible {{ outline-color: {words}; }}\n"
        "}\n"
    )


def contrast(one: str, other: str) -> Fraction:
    """The contrast ratio of two colours (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + Fraction(1, 20)) / (darker + Fraction(1, 20))


def kind(content: bytes) -> str:
    """What the picture is by its first bytes, whatever it is called. Raises LogoRefused."""
    if len(content) > MOST_BYTES:
        raise LogoRefused("A logo may have 512 kB and this one has more. Please save it smaller.")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    raise LogoRefused("This is no PNG, JPEG or WebP picture. Please save it as one of these.")


def keep_logo(content: bytes) -> str:
    """Write the picture to the disk and return its name for the organiser's row. Raises LogoRefused."""
    name = f"{secrets.token_hex(16)}.{kind(content)}"
    for each in (_folder().parent, _folder()):  # films lie in the first: a parent made on the way would be open to all
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = _folder() / f"{name}.part"
    try:
        waiting.write_bytes(content)
        waiting.rename(_folder() / name)
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise
    return name


def forget_logo(name: str) -> None:
    """Remove a picture that no row names any more."""
    if _LOGO.fullmatch(name):
        (_folder() / name).unlink(missing_ok=True)


def logo(name: str) -> Logo | None:
    """The stored picture of that name, or None."""
    found = _LOGO.fullmatch(name)
    if found is None or not (_folder() / name).is_file():
        return None
    return Logo(_folder() / name, TYPES[found[1]])


def _folder() -> Path:
    return settings.instance_folder() / "media" / "logos"


def _luminance(text: str) -> Fraction:
    red, green, blue = (_linear(int(text[start : start + 2], 16)) for start in (1, 3, 5))
    return Fraction(2126, 10000) * red + Fraction(7152, 10000) * green + Fraction(722, 10000) * blue


def _linear(value: int) -> Fraction:
    part = value / 255
    return Fraction(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)


def _shown(ratio: Fraction) -> str:
    """Two figures, cut rather than rounded: what is refused never reads as enough."""
    hundredths = int(ratio * 100)
    return f"{hundredths // 100}.{hundredths % 100:02d}"
