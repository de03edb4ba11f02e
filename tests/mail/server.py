"""A mail server that answers as it is told, for each way a delivery can go."""

from asyncio import Server, all_tasks, current_task, gather, new_event_loop, run_coroutine_threadsafe
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

DROP = "drop"


@dataclass
class Arrived:
    """A letter as it came: to whom by the envelope, and its bytes."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.content, EmailMessage, policy=policy.default)


@dataclass
class Script:
    """What to answer to MAIL, RCPT and the letter itself; DROP hangs up; None is 250."""

    mail: str | None = None
    rcpt: str | None = None
    data: str | None = None
    password: str | None = None
    port: int = 0
    arrived: list[Arrived] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_MAIL(  # noqa: N802 - aiosmtpd finds hooks by name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        if self.password is not None and not session.authenticated:
            return "530 sign in first"
        return _said(self.mail)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds hooks by name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = _said(self.rcpt)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        answer = _said(self.data)
        if answer.startswith("250"):
            content = bytes(envelope.original_content or b"")
            self.arrived.append(Arrived(envelope.mail_from or "", list(envelope.rcpt_tos), content))
        return answer


def _said(answer: str | None) -> str:
    if answer == DROP:
        raise ConnectionResetError("hung up, as told")
    return answer or "250 taken as told"


@contextmanager
def listening(*, takes_utf8: bool = True, password: str | None = None) -> Iterator[Script]:
    """A server on a free loopback port until the block ends; with `password` it lets in nobody else."""
    script = Script(password=password)
    loop = new_event_loop()

    def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
        is_right = getattr(data, "password", None) == (password or "").encode()
        return AuthResult(success=is_right, handled=False)

    def door() -> SMTP:
        return SMTP(
            script,
            hostname="post.localhost",
            enable_SMTPUTF8=takes_utf8,
            authenticator=check if password else None,
            auth_require_tls=False,
            loop=loop,
        )

    # All of it in a thread: another test's browser may keep a loop of its own running in this one.
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = run_coroutine_threadsafe(loop.create_server(door, host="127.0.0.1", port=0), loop).result(10)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        run_coroutine_threadsafe(_close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _close(server: Server) -> None:
    server.close()
    still_open = all_tasks() - {current_task()}
    for each in still_open:
        each.cancel()
    await gather(*still_open, return_exceptions=True)
