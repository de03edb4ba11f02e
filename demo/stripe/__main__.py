"""`python -m demo.stripe`: start the stand-in."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from demo.stripe.loopback import check_address
from demo.stripe.server import Server
from demo.stripe.webhooks import Endpoint
from lib import clock


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.stripe", description="A stand-in for Stripe. No money moves.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--address", default="", help="how browsers reach it, http://localhost:PORT if not given")
    parser.add_argument("--state", type=Path, help="the SQLite file that keeps everything over a restart")
    parser.add_argument("--clock", type=Path, help="the file that rules its clock")
    parser.add_argument("--webhook", default="", help="where events go")
    parser.add_argument("--webhook-secret", default="whsec_test", help="what they are signed with")
    parser.add_argument("--events", default="", help="the types to send, with commas between; all if not given")
    parser.add_argument("--tied", action="store_true", help="stop when standard input ends")
    return parser.parse_args(argv)


def _endpoint(asked: argparse.Namespace) -> Endpoint | None:
    if not asked.webhook:
        return None
    check_address(asked.webhook)
    return Endpoint(asked.webhook, asked.webhook_secret, tuple(filter(None, asked.events.split(","))))


def _stop_with_input(server: Server) -> None:
    while os.read(0, 4096):
        pass
    server.stop()


def main(argv: list[str] | None = None) -> int:
    """Serve until a signal; 2 when it refuses to start."""
    asked = _arguments(argv)
    clock.follow(asked.clock)
    try:
        server = Server(asked.host, asked.port, asked.state, _endpoint(asked), asked.address)
    except (ValueError, OSError) as refusal:
        print(f"stripe: {refusal}", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    if asked.tied:
        threading.Thread(target=_stop_with_input, args=(server,), daemon=True).start()
    print(f"stripe: {server.account.address} (TEST - no money moves)", flush=True)
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
