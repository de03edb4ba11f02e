"""The door letters come in by."""

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from demo.mailbox.faults import DROP, Faults
from demo.mailbox.letter import clean, heading
from demo.mailbox.store import Store
from lib import clock

LARGEST_LETTER = 50 * 1024 * 1024
LONGEST_LINE = 1024 * 1024


class Door(SMTP):
    """Accepts lines as long as servers in the wild do, not only the 1000 bytes of the standard."""

    line_length_limit = LONGEST_LINE


class Receiver:
    """aiosmtpd's handler: refuses whom it was told to refuse, keeps what it accepts."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds hooks by name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        code = self._faults.take(address)
        if code == DROP:
            raise ConnectionResetError("hung up, as asked")  # aiosmtpd closes the connection on this one
        if code is not None:
            return f"{code} Refused, as asked"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = bytes(envelope.original_content or b"")
        sender, subject = heading(content)
        letter = self._store.add(
            content,
            to=[clean(address) for address in envelope.rcpt_tos],
            sender=sender or clean(envelope.mail_from or ""),
            subject=subject,
            at=_instant(),
        )
        return f"250 OK kept as {letter.id}"


async def listen(store: Store, faults: Faults, *, port: int) -> asyncio.Server:
    """Accept letters on the loopback address from now on; port 0 picks a free one."""
    receiver = Receiver(store, faults)
    return await asyncio.get_running_loop().create_server(
        lambda: Door(
            receiver,
            data_size_limit=LARGEST_LETTER,
            enable_SMTPUTF8=True,
            hostname="mailbox.localhost",
            ident="Colloquy demo mailbox",
            loop=asyncio.get_running_loop(),
        ),
        host="127.0.0.1",
        port=port,
        backlog=512,
    )


def _instant() -> str:
    try:
        now = clock.now()
    except ValueError:  # the clock's file is being written, or wrong: no reason to refuse a letter
        now = clock.machine_now()
    return now.isoformat(timespec="seconds").replace("+00:00", "Z")
