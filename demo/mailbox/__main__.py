"""`python -m demo.mailbox --smtp-port N --http-port M --state DIR [--clock FILE]`: letters in, pages out.

Prints one line of JSON with both addresses once it accepts letters; port 0 means a free one.
"""

import argparse
import asyncio
import json
import signal
from pathlib import Path
from threading import Thread
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from demo.mailbox import pages, smtp
from demo.mailbox.faults import Faults
from demo.mailbox.store import Store
from lib import clock


class Quiet(WSGIRequestHandler):
    """Answers without a line in the log for each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: a demo's log is for what went wrong."""


async def serve(store: Store, faults: Faults, *, smtp_port: int, web: BaseWSGIServer) -> None:
    """Run both sides until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with await smtp.listen(store, faults, port=smtp_port) as door:
        pages_thread = Thread(target=web.serve_forever, args=(0.1,), name="pages", daemon=True)
        pages_thread.start()
        addresses = {
            "http": f"http://localhost:{web.port}",
            "smtp": f"smtp://127.0.0.1:{door.sockets[0].getsockname()[1]}",
        }
        print(json.dumps(addresses), flush=True)
        await stop.wait()
    web.shutdown()
    web.server_close()


def main() -> None:
    options = _options()
    clock.follow(options.clock)
    store, faults = Store(options.state), Faults()
    web = make_server(
        "127.0.0.1",
        options.http_port,
        pages.create_app(store, faults),
        threaded=True,
        request_handler=Quiet,
    )
    web.daemon_threads = True  # type: ignore[attr-defined] # the threaded one has it
    asyncio.run(serve(store, faults, smtp_port=options.smtp_port, web=web))


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m demo.mailbox", description="Letters in, pages out.")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--clock", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
