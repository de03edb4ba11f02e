"""Reading a letter's bytes the way a mail client does, whatever state they are in.

Nothing here raises on hostile bytes, although the email package does, and with nearly any exception there is: what
cannot be read is shown as it came, or left out.
"""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message

LARGEST_HEADING = 256 * 1024
LARGEST_TEXT = 500_000
MOST_PARTS = 200

_END_OF_HEADING = re.compile(rb"\r?\n\r?\n")
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One leaf of the letter: `number` counts the leaves from 0."""

    number: int
    type: str
    name: str
    content: bytes
    charset: str
    is_attached: bool

    @property
    def text(self) -> str:
        """The content as text, cut where it gets too long to show."""
        content = self.content[: LARGEST_TEXT * 4]
        try:
            text = content.decode(self.charset or "utf-8", "replace")
        except (LookupError, ValueError):
            text = content.decode("latin-1")
        return clean_lines(text)[:LARGEST_TEXT]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A letter as its page shows it."""

    sender: str
    to: str
    cc: str
    reply_to: str
    subject: str
    date: str
    parts: tuple[Part, ...]

    @property
    def html(self) -> Part | None:
        return self._shown("text/html")

    @property
    def plain(self) -> Part | None:
        return self._shown("text/plain")

    @property
    def calendars(self) -> list[Part]:
        """Each calendar once, although letters carry the same one inline and as a file."""
        found = {
            part.content.replace(b"\r\n", b"\n").strip(): part
            for part in reversed(self.parts)
            if part.type in ("text/calendar", "application/ics") or part.name.lower().endswith(".ics")
        }
        return list(reversed(found.values()))

    @property
    def attachments(self) -> list[Part]:
        return [part for part in self.parts if part not in (self.html, self.plain)]

    def part(self, number: int) -> Part | None:
        return next((part for part in self.parts if part.number == number), None)

    def _shown(self, kind: str) -> Part | None:
        return next((part for part in self.parts if part.type == kind and not part.is_attached), None)


def read(content: bytes) -> Reading:
    """Take a letter apart."""
    try:
        message = message_from_bytes(content)
        parts = _parts(message)
    except Exception:
        message, parts = _message_of(_heading_bytes(content)), ()
    return Reading(
        sender=_header(message, "From"),
        to=_header(message, "To"),
        cc=_header(message, "Cc"),
        reply_to=_header(message, "Reply-To"),
        subject=_header(message, "Subject"),
        date=_header(message, "Date"),
        parts=parts,
    )


def heading(content: bytes) -> tuple[str, str]:
    """A letter's From and Subject, without reading its body."""
    message = _message_of(_heading_bytes(content))
    return _header(message, "From"), _header(message, "Subject")


def clean(text: str) -> str:
    """`text` as one line that can be shown and encoded: no control characters, no lone surrogates."""
    return " ".join(clean_lines(text).split())


def clean_lines(text: str) -> str:
    """`text` with its lines kept, without what cannot be shown or encoded."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _UNSHOWABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _heading_bytes(content: bytes) -> bytes:
    start = content[:LARGEST_HEADING]
    end = _END_OF_HEADING.search(start)
    return start[: end.start()] if end else start


def _message_of(heading_bytes: bytes) -> Message:
    try:
        return message_from_bytes(heading_bytes + b"\r\n\r\n")
    except Exception:
        return Message()


def _header(message: Message, name: str) -> str:
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    try:
        raw = _as_it_came(raw)
        return clean(str(make_header(decode_header(raw))))
    except Exception:
        return clean(raw)


def _as_it_came(raw: str) -> str:
    """A header's text where its bytes were not ASCII: the email package keeps those as lone surrogates."""
    content = raw.encode("utf-8", "surrogateescape")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _parts(message: Message) -> tuple[Part, ...]:
    leaves = [part for part in message.walk() if not part.is_multipart()][:MOST_PARTS]
    return tuple(_part(number, leaf) for number, leaf in enumerate(leaves))


def _part(number: int, leaf: Message) -> Part:
    payload = leaf.get_payload(decode=True)
    kind = clean(leaf.get_content_type())
    return Part(
        number=number,
        type=kind if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind, re.ASCII) else "application/octet-stream",
        name=_name(leaf),
        content=payload if isinstance(payload, bytes) else b"",
        charset=clean(str(leaf.get_param("charset", "") or "")),
        is_attached=leaf.get_content_disposition() == "attachment",
    )


def _name(leaf: Message) -> str:
    try:
        name = str(make_header(decode_header(leaf.get_filename() or "")))
    except Exception:
        name = ""
    return clean(name).replace("/", "_").replace("\\", "_")[:120]
