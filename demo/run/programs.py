"""The four programs of the demo and the two tasks before them."""

import sys
from collections.abc import Mapping
from pathlib import Path

from demo.run import rooms
from demo.run.children import Program, answers
from demo.run.instance import Instance

PYTHON = sys.executable
WEB_WORKERS = "2"
WEB_THREADS = "64"  # each stalled body holds one
WEB_PATIENCE = "5"  # seconds; without it a stalled body keeps a worker from ending
WEB_BACKLOG = "2048"


def upgrade() -> Program:
    return Program(name="migrations", command=[PYTHON, "-m", "flask", "db", "upgrade"])


def seed(people: Path, ports: Mapping[str, int]) -> Program:
    command = [PYTHON, "-m", "demo.catalogue", "--people", str(people), "--rooms", rooms.address(ports["mailbox"])]
    return Program(name="catalogue", command=command)


def stripe(instance: Instance, settings: Mapping[str, str], ports: Mapping[str, int]) -> Program:
    command = [PYTHON, "-m", "demo.stripe", "--port", str(ports["stripe"])]
    command += ["--state", str(instance.stripe_state), "--clock", str(instance.clock)]
    command += ["--webhook", f"{settings['BASE_URL']}/stripe/webhook"]
    command += ["--webhook-secret", settings["STRIPE_WEBHOOK_SECRET"]]
    address = settings["STRIPE_API_BASE"]
    return Program(name="stripe", command=command, is_ready=lambda: answers(f"{address}/_test/events", status=200))


def mailbox(instance: Instance, ports: Mapping[str, int]) -> Program:
    command = [PYTHON, "-m", "demo.mailbox", "--smtp-port", str(ports["smtp"])]
    command += ["--http-port", str(ports["mailbox"]), "--state", str(instance.mailbox_state)]
    command += ["--clock", str(instance.clock)]
    address = f"http://localhost:{ports['mailbox']}/letters.json"
    return Program(name="mailbox", command=command, is_ready=lambda: answers(address, status=200))


def worker() -> Program:
    return Program(name="worker", command=[PYTHON, "-m", "flask", "work"])


def web(settings: Mapping[str, str], ports: Mapping[str, int]) -> Program:
    command = [PYTHON, "-m", "granian", "app:serve", "--factory", "--interface", "wsgi"]
    command += ["--host", "127.0.0.1", "--port", str(ports["web"])]
    command += ["--workers", WEB_WORKERS, "--respawn-failed-workers", "--workers-kill-timeout", WEB_PATIENCE]
    command += ["--blocking-threads", WEB_THREADS, "--backlog", WEB_BACKLOG, "--no-ws"]
    address = f"{settings['BASE_URL']}/readyz"
    return Program(name="web", command=command, is_ready=lambda: answers(address, status=200))
