"""From a letter and its rendered parts to the bytes that go over the wire. Pure: the same letter, the same bytes.

The head is written here rather than by EmailPolicy, whose folding loses the quotes of a name such as
"Zoë Łukasz, MSc" in some Python versions and so makes two recipients of one.
"""

import base64
import hashlib
import quopri
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from email.utils import encode_rfc2231, format_datetime, parseaddr

import idna

from lib.forms import one_line
from mail.models import Letter

INVITE_NAME = "invite.ics"
LEAVE_URL = "unsubscribe_url"  # the value of a letter that goes to a list
_LONGEST_PLAIN = 900  # a header line of ASCII words may not pass 998 (RFC 5322 2.1.1), its name included
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_FORBIDDEN = frozenset(' \t<>(),:;"[]\\')


@dataclass(frozen=True)
class Parts:
    """A letter's rendered text: the subject and the two forms of its body, which say the same."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Message:
    """What is handed to the server. `needs_utf8`: an address has letters beyond ASCII before its @ (RFC 6531)."""

    sender: str
    recipient: str
    content: bytes
    needs_utf8: bool


class AddressUnusable(ValueError):
    """An address that cannot stand in a letter's head."""


class _AsGiven(EmailPolicy):
    """Header values stand as they are given, folded already."""

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        return name, value

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}"

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("utf-8")


_POLICY = _AsGiven(linesep="\r\n", max_line_length=76)


def compose(letter: Letter, parts: Parts, mail_from: str) -> Message:
    """Put a letter together: mixed(alternative(plain, html, calendar), invite.ics, files), or less when it has less.

    `mail_from` is the installation's address, as in `Colloquy <letters@colloquy.example>`. Raises AddressUnusable.
    """
    sender = address(parseaddr(mail_from)[1])
    recipient = address(letter.to_email)
    reply_to = address(letter.reply_to) if letter.reply_to else None
    body = _body(letter, parts)
    message = EmailMessage(policy=_POLICY)
    message["From"] = mailbox(letter.from_name, sender)
    message["To"] = mailbox(letter.to_name, recipient)
    if reply_to:
        message["Reply-To"] = mailbox(letter.from_name, reply_to)
    message["Subject"] = words(one_line(parts.subject), "Subject")
    # The day it was written, not of this attempt: a letter sent again is the same letter to the byte.
    message["Date"] = format_datetime(letter.posted_at)
    message["Message-ID"] = letter.message_id
    if letter.thread_id:
        message["In-Reply-To"] = letter.thread_id
        message["References"] = letter.thread_id
    if leaves := (letter.values or {}).get(LEAVE_URL):
        # One click in the mail program, without a page (RFC 8058).
        message["List-Unsubscribe"] = f"<{leaves}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message["MIME-Version"] = "1.0"
    for name, value in body.items():
        message[name] = value
    message.set_payload(body.get_payload())
    needs_utf8 = any(not each.isascii() for each in (sender, recipient, reply_to or ""))
    return Message(sender, recipient, message.as_bytes(), needs_utf8)


def address(email: str) -> str:
    """An address as servers take it: the domain in ASCII (IDNA), the part before the @ as it is.

    Raises AddressUnusable.
    """
    local, at, domain = email.strip().rpartition("@")
    if not at or not local or not domain or _FORBIDDEN & set(email.strip()) or one_line(email) != email.strip():
        raise AddressUnusable(f"{one_line(email)[:80]!r} is no address that a letter can go to")
    if domain.isascii():
        return f"{local}@{domain}"
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError as problem:
        raise AddressUnusable(f"{one_line(domain)[:80]!r} is no domain: {problem}") from problem


def mailbox(name: str, email: str) -> str:
    """One person for a header: encoded words or quotes around the name alone, the address outside them."""
    shown = one_line(name)
    if not shown:
        return email
    if not shown.isascii() or "=?" in shown:
        return f"{words(shown, 'Reply-To')}\r\n <{email}>"
    if _ATOM.fullmatch(shown):
        return f"{shown} <{email}>"
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{email}>'


def words(text: str, header_name: str) -> str:
    """Text for a header, folded: as it is when ASCII, otherwise encoded words of at most 75 characters (RFC 2047)."""
    is_plain = text.isascii() and "=?" not in text and len(text) <= _LONGEST_PLAIN
    charset = "us-ascii" if is_plain else "utf-8"
    return Header(text, charset, maxlinelen=76, header_name=header_name).encode(linesep="\r\n")


def _body(letter: Letter, parts: Parts) -> MIMEPart:
    versions = [_text(parts.text, "plain"), _text(parts.html, "html")]
    files = [_file(each["name"], each["type"], each["text"].encode("utf-8")) for each in letter.files]
    if letter.calendar is not None:
        calendar = letter.calendar.encode("utf-8")
        kind = f"text/calendar; method={letter.method}; charset=utf-8"
        versions.append(_encoded(kind, calendar))
        files.insert(0, _file(INVITE_NAME, kind, calendar))
    alternative = _multipart("alternative", versions, letter.message_id)
    return _multipart("mixed", [alternative, *files], letter.message_id) if files else alternative


def _multipart(subtype: str, children: Iterable[MIMEPart], message_id: str) -> MIMEPart:
    part = MIMEPart(policy=_POLICY)
    # "=_" occurs in neither quoted-printable nor base64, so no content can hold the boundary (RFC 2045 6.7).
    boundary = f"=_{hashlib.sha256(f'{subtype} {message_id}'.encode()).hexdigest()[:32]}"
    part["Content-Type"] = f'multipart/{subtype};\r\n boundary="{boundary}"'
    part.set_payload(list(children))
    return part


def _text(text: str, subtype: str) -> MIMEPart:
    part = MIMEPart(policy=_POLICY)
    part["Content-Type"] = f"text/{subtype}; charset=utf-8"
    part["Content-Transfer-Encoding"] = "quoted-printable"
    whole = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n") + "\n"
    encoded = quopri.encodestring(whole.encode("utf-8")).decode("ascii")
    part.set_payload(encoded.replace("\n", "\r\n"))
    return part


def _encoded(kind: str, content: bytes) -> MIMEPart:
    part = MIMEPart(policy=_POLICY)
    part["Content-Type"] = kind
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload(base64.encodebytes(content).decode("ascii").replace("\n", "\r\n"))
    return part


def _file(name: str, kind: str, content: bytes) -> MIMEPart:
    part = _encoded(f"{kind};\r\n {_parameter('name', name)}", content)
    part["Content-Disposition"] = f"attachment;\r\n {_parameter('filename', name)}"
    return part


def _parameter(key: str, value: str) -> str:
    clean = one_line(value).replace("\\", "").replace('"', "")
    return f'{key}="{clean}"' if clean.isascii() else f"{key}*={encode_rfc2231(clean, 'utf-8')}"
