"""The stand-in as a program: what it refuses, what it keeps, how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.stripe import process
from tests.demo.conftest import SECRET, connected, wanted
from tests.demo.receiver import Receiver


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "0.0.0.0"],
        ["--host", "::"],
        ["--host", "192.0.2.1"],
        ["--host", "example.org"],
        ["--webhook", "https://example.org/stripe/webhook"],
        ["--webhook", "http://192.0.2.1/stripe/webhook"],
    ],
)
def test_it_keeps_to_this_machine(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo.stripe", *arguments],
        cwd=process.ROOT,
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 2
    assert "stripe: " in done.stderr
    assert done.stdout == ""


def test_a_restart_keeps_everything(tmp_path: Path, receiver: Receiver) -> None:
    state = tmp_path / "new" / "stripe.sqlite"
    params = wanted()
    with process.running(state=state) as stand_in:
        port = int(stand_in.url.rpartition(":")[2])
        for client in connected(stand_in):
            paid = client.v1.checkout.sessions.create(params, {"idempotency_key": "one"}).id
            stand_in.pay(paid)
            asking = client.v1.checkout.sessions.create(wanted()).id
            stand_in.pay(asking, "4000002500003155")
            stand_in.override(paid, livemode=True)
            before = client.v1.checkout.sessions.retrieve(paid).to_dict()
        stand_in.webhooks("hold")
        os.kill(stand_in.pid, signal.SIGKILL)
    with process.running(state=state, port=port, webhook=receiver.url, secret=SECRET) as stand_in:
        for client in connected(stand_in):
            assert client.v1.checkout.sessions.retrieve(paid).to_dict() == before
            assert client.v1.checkout.sessions.create(params, {"idempotency_key": "one"}).id == paid
            assert [s.id for s in client.v1.checkout.sessions.list().data] == [asking, paid]
        assert stand_in.authenticate(asking).status == 303
        assert {one["type"] for one in stand_in.release()} >= {"checkout.session.completed"}


def test_events_left_unsent_are_sent_by_the_next(tmp_path: Path, receiver: Receiver) -> None:
    state = tmp_path / "stripe.sqlite"
    with process.running(state=state, webhook="http://127.0.0.1:9/nobody") as stand_in:
        for client in connected(stand_in):
            stand_in.pay(client.v1.checkout.sessions.create(wanted()).id)
    with process.running(state=state, webhook=receiver.url, secret=SECRET):
        assert len(receiver.wait(4, SECRET)) == 4


def test_only_the_events_asked_for_are_sent(receiver: Receiver) -> None:
    with process.running(webhook=receiver.url, secret=SECRET, events="checkout.session.completed") as stand_in:
        for client in connected(stand_in):
            stand_in.pay(client.v1.checkout.sessions.create(wanted()).id)
        receiver.wait(1, SECRET)
        states = {e["type"]: e["delivery"]["state"] for e in stand_in.events()}
    assert [e.type for e in receiver.events(SECRET)] == ["checkout.session.completed"]
    assert states["charge.succeeded"] == "not_wanted"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quickly_and_cleanly(number: signal.Signals) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "demo.stripe"],
        cwd=process.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("stripe: http://localhost:")
        started = time.monotonic()
        child.send_signal(number)
        assert child.wait(5) == 0
        assert time.monotonic() - started < 2


def test_tied_it_ends_with_whoever_started_it() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "demo.stripe", "--tied"],
        cwd=process.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline()
        child.stdin.close()
        assert child.wait(5) == 0


def test_it_never_outlives_the_block() -> None:
    with process.running() as stand_in:
        assert alive(stand_in.pid)
    assert not alive(stand_in.pid)


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_session_costs_little() -> None:
    with process.running() as stand_in:
        for client in connected(stand_in):
            before = processor_seconds(stand_in.pid)
            for _ in range(100):
                client.v1.checkout.sessions.create(wanted())
            assert (processor_seconds(stand_in.pid) - before) / 100 < 0.004
