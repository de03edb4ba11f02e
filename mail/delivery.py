"""Handing a message to the mail server, and what its answer means."""

import contextlib
import smtplib
import ssl
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from mail.compose import Message

TIMEOUT_SECONDS = 20
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_TOO_LARGE = 552


class NotNow(Exception):
    """The server could not be reached or asked us to come back: try again later."""


class RefusedForGood(Exception):
    """The server will never take this letter for this address."""


@dataclass(frozen=True)
class Server:
    """Where letters go out, read from SMTP_URL."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None


def server(smtp_url: str) -> Server:
    """Read `smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`.

    Raises NotNow when it cannot be read: the letter waits for the setting to be put right.
    """
    parts = urlsplit(smtp_url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise NotNow("SMTP_URL must read smtp://host:port, smtps://... or smtp+starttls://user:password@host:port")
    user = unquote(parts.username) if parts.username else None
    return Server(parts.scheme, parts.hostname, port or PORTS[parts.scheme], user, unquote(parts.password or ""))


def send(message: Message, to: Server) -> str:
    """Hand `message` over and return the server's answer.

    Raises RefusedForGood for a 5xx about the recipient or the message, NotNow for everything else: connection
    trouble, 4xx, and a 5xx about us (a wrong password must not fail everybody's letters).
    """
    try:
        smtp = _connect(to, message.sender.rpartition("@")[2])
    except (smtplib.SMTPException, OSError) as problem:
        raise NotNow(_said(problem)) from problem
    try:
        return _hand_over(smtp, message)
    except (smtplib.SMTPException, OSError) as problem:
        raise NotNow(_said(problem)) from problem
    finally:
        # What the server says to our goodbye changes nothing about a letter it has taken.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            smtp.quit()
        smtp.close()


def _connect(to: Server, our_name: str) -> smtplib.SMTP:
    # Without a name of ours smtplib asks the DNS for one, for every letter.
    if to.scheme == "smtps":
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(to.host, to.port, our_name, timeout=TIMEOUT_SECONDS, context=context)
    else:
        smtp = smtplib.SMTP(to.host, to.port, our_name, timeout=TIMEOUT_SECONDS)
    try:
        if to.scheme == "smtp+starttls":
            smtp.starttls(context=ssl.create_default_context())
        if to.user is not None:
            smtp.login(to.user, to.password or "")
        smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _hand_over(smtp: smtplib.SMTP, message: Message) -> str:
    options = []
    if message.needs_utf8:
        if not smtp.has_extn("smtputf8"):
            raise RefusedForGood("the mail server takes no address with letters beyond ASCII before the @ (SMTPUTF8)")
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    code, answer = smtp.mail(message.sender, options)
    if code != 250:
        _refuse(code, answer, is_ours=code != _TOO_LARGE)
    code, answer = smtp.rcpt(message.recipient)
    if code not in (250, 251):
        _refuse(code, answer)
    try:
        code, answer = smtp.data(message.content)
    except smtplib.SMTPDataError as problem:
        code, answer = problem.smtp_code, _bytes(problem.smtp_error)
    if code != 250:
        _refuse(code, answer)
    return f"{code} {_text(answer)}"


def _refuse(code: int, answer: bytes, *, is_ours: bool = False) -> None:
    said = f"{code} {_text(answer)}"
    if 500 <= code < 600 and not is_ours:
        raise RefusedForGood(said)
    raise NotNow(said)


def _said(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPResponseException):
        return f"{problem.smtp_code} {_text(_bytes(problem.smtp_error))}"
    return f"{type(problem).__name__}: {problem}"


def _bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode()


def _text(answer: bytes) -> str:
    return " ".join(answer.decode("utf-8", "replace").split())[:500]
