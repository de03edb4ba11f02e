"""WebVTT captions: read strictly, written again cleanly, so that a player gets cues and nothing else."""

import re
from collections.abc import Sequence

from lib import web

MOST_BYTES = 2 * 1024 * 1024
MOST_CUES = 20_000
LANGUAGES = {
    "en": "English",
    "cy": "Cymraeg",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
    "uk": "Українська",
}
_TIME = r"(?:([0-9]{2,}):)?([0-5][0-9]):([0-5][0-9])\.([0-9]{3})"
_TIMING = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}((?:[ \t]+[a-z]+:[^\s:]+)*)[ \t]*")
_DROPPED = ("NOTE", "STYLE", "REGION")


class CaptionsBroken(web.Refusal):
    """A file that is no WebVTT, or breaks off in its cues."""

    status = 422
    refusal = "captions_broken"
    title = "These captions cannot be read"


def clean(body: bytes) -> str:
    """The cues of a WebVTT file in order, without notes, styles and regions. Raises CaptionsBroken, which line."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise CaptionsBroken("The file is not UTF-8 text. Please save the captions as WebVTT in UTF-8.") from problem
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").split("\n")
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]):
        raise CaptionsBroken("The first line has to be WEBVTT. Captions in another format can be saved as WebVTT.")
    blocks = _blocks(lines)
    cues: list[str] = []
    latest = 0
    for number, block in blocks:
        if block[0].split(" ")[0].rstrip(":") in _DROPPED and "-->" not in "".join(block[:2]):
            continue
        start, cue = _cue(number, block)
        if start < latest:
            raise CaptionsBroken(f"The cue in line {number} begins before the one above it.")
        latest = start
        if cue:
            cues.append(cue)
    if not cues:
        raise CaptionsBroken("There is no cue in the file.")
    if len(cues) > MOST_CUES:
        raise CaptionsBroken(f"There are more than {MOST_CUES} cues in the file.")
    return "WEBVTT\n\n" + "\n\n".join(cues) + "\n"


def cut(text: str, stretches: Sequence[Sequence[int]]) -> str:
    """Clean captions of a whole film as those of its kept stretches; none stand for all of it.

    A cue that reaches into what was cut out goes with it: its words are not told apart.
    """
    if not stretches:
        return text
    found = ["WEBVTT"]
    for block in text.rstrip("\n").split("\n\n")[1:]:
        rows = block.split("\n")
        at = 0 if "-->" in rows[0] else 1
        match = _TIMING.fullmatch(rows[at])
        if match is None:
            continue
        start, end = _milliseconds(match.groups()[:4]), _milliseconds(match.groups()[4:8])
        before = 0
        for first, last in stretches:
            if first * 1000 <= start and end <= last * 1000:
                shift = before - first * 1000
                timing = f"{_written(start + shift)} --> {_written(end + shift)}{match[9] or ''}"
                found.append("\n".join([*rows[:at], timing, *rows[at + 1 :]]))
            before += (last - first) * 1000
    return "\n\n".join(found) + "\n"


def _written(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def _blocks(lines: list[str]) -> list[tuple[int, list[str]]]:
    """What stands between empty lines after the head, each with the number of its first line."""
    found: list[tuple[int, list[str]]] = []
    is_open = False
    in_head = True
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            is_open = in_head = False
        elif in_head and "-->" not in line:
            continue  # the head may say more, up to the first empty line
        elif is_open:
            found[-1][1].append(line)
        else:
            is_open, in_head = True, False
            found.append((number, [line]))
    return found


def _cue(number: int, block: list[str]) -> tuple[int, str]:
    """Where a cue starts, in milliseconds, and the cue as it is written again; empty for one without text."""
    name = [] if "-->" in block[0] else block[:1]
    rest = block[len(name) :]
    match = _TIMING.fullmatch(rest[0]) if rest else None
    if match is None:
        raise CaptionsBroken(f"Line {number + len(name)} should hold times, as in 00:01:02.000 --> 00:01:05.500.")
    start, end = _milliseconds(match.groups()[:4]), _milliseconds(match.groups()[4:8])
    if end <= start:
        raise CaptionsBroken(f"The cue in line {number} ends before it begins.")
    if any("-->" in line for line in rest[1:]):
        raise CaptionsBroken(f"An empty line is missing between two cues after line {number}.")
    return start, "\n".join([*name, rest[0].rstrip(), *rest[1:]]) if rest[1:] else ""


def _milliseconds(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, rest = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest
