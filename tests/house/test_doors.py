"""What only doors do: open a write transaction, ask the time, look at the request. And who writes which state."""

import ast
from collections.abc import Iterator

import pytest

from tests.house import source
from tests.house.source import Sources

# Each exception with its reason; a new line here is a decision.
WRITES = {
    "lib/work.py": "claims, leases and outcomes of jobs are its own and outlive the handler's transaction",
    "lib/db.py": "defines it",
}
ASKS_THE_TIME = {
    "lib/work.py": "the worker is the door through which jobs come: it hands `now` to every handler",
    "lib/clock.py": "is the clock",
    "lib/visitor.py": "the chooser in the head of every page names the zone's abbreviation of today",
    "visitors/health.py": "a page for machines: routes under another name",
}
LOOKS_AT_THE_REQUEST = {
    "app.py": "error pages answer the request at hand, and every page knows its own address",
    "lib/web.py": "headers, request ids and logs belong to every request",
    "lib/visitor.py": "the zone a visitor reads in is said in the address or a cookie",
    "lib/limits.py": "a limit's key is what was typed into a field",
    "accounts/login.py": "signs in and out: the session is its subject",
    "accounts/open_to.py": "guards every door",
    "visitors/health.py": "a page for machines: routes under another name",
}
OF_THE_REQUEST = {
    "flask.request", "flask.session", "flask.g",
    "flask_login.current_user", "flask_login.login_user", "flask_login.logout_user",
}  # fmt: skip
# The one module that writes each state, and the one that makes the row in the state it begins with, where another does.
WRITERS = {
    "Booking": "bookings/lifecycle.py",
    "Attendee": "bookings/lifecycle.py",
    "Place": "courses/places.py",
    "Redemption": "bookings/discounts.py",
    "Payment": "bookings/settling.py",
    "PaymentAttempt": "payments/attempts.py",
    "Refund": "payments/refunds.py",
    "Movement": "payments/ledger.py",
    "Credit": "payments/credits.py",
    "Dispute": "payments/disputes.py",
    "Instalment": "payments/instalments.py",
    "Change": "bookings/change_rows.py",
    "Letter": "mail/jobs.py",
    "Recording": "recordings/publishing.py",
    "ZoomRecording": "recordings/from_zoom.py",
    "ZoomFile": "recordings/from_zoom.py",
    "Upload": "recordings/uploads.py",
    "Subscriber": "newsletter/subscribing.py",
    "WaitingPerson": "bookings/waiting.py",
}
MAKERS = {
    "Booking": "bookings/checkout.py",
    "PaymentAttempt": "bookings/checkout.py",
    "Attendee": "bookings/attendee_rows.py",
    "Payment": "payments/by_hand.py",
    "Letter": "mail/outbox.py",
}
NAMED_AFTER = {name.lower(): name for name in WRITERS} | {
    "attempt": "PaymentAttempt",
    "person": "WaitingPerson",
    "meeting": "ZoomRecording",
    "file": "ZoomFile",
}


def writing(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        for call in source.calls(ast.parse(text)):
            name = source.dotted(call.func)
            if name.split(".")[-1] == "writing" and not (source.is_door(path) or path in WRITES):
                yield f"{path}:{call.lineno} {name}()"
            if name.split(".")[-1] in ("commit", "begin_nested") and path != "lib/db.py":
                yield f"{path}:{call.lineno} {name}()"


def asking_the_time(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        tree = ast.parse(text)
        for line, name in source.imports(tree):
            if name in ("lib.clock.now", "lib.clock.machine_now"):
                yield f"{path}:{line} takes {name} out of its module, where no test can stop it"
        for call in source.calls(tree):
            name = source.dotted(call.func)
            is_own = name in ("clock.now", "clock.machine_now")
            is_raw = name in (
                "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "datetime.datetime.now",
            )  # fmt: skip
            if is_own and not (source.is_door(path) or path in ASKS_THE_TIME):
                yield f"{path}:{call.lineno} {name}()"
            if is_raw and path != "lib/clock.py":
                yield f"{path}:{call.lineno} {name}() instead of lib.clock"


def looking_at_the_request(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        if source.is_door(path) or path in LOOKS_AT_THE_REQUEST:
            continue
        tree = ast.parse(text)
        names = [(line, name) for line, name in source.imports(tree) if name in OF_THE_REQUEST]
        names += [
            (node.lineno, source.dotted(node))
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and source.dotted(node) in OF_THE_REQUEST
        ]
        yield from (f"{path}:{line} {name}" for line, name in names)


def states(sources: Sources) -> Iterator[str]:
    """Assignments to a state, and rows with one made or changed by a statement, outside its writer."""
    for path, text in sources.items():
        tree = ast.parse(text)
        for line, model in _changed(tree):
            if path != WRITERS.get(model):
                yield f"{path}:{line} changes the state of {model}"
        for call in source.calls(tree):
            name = source.dotted(call.func)
            if name in WRITERS and path not in (WRITERS[name], MAKERS.get(name)):
                yield f"{path}:{call.lineno} makes a {name}"


def _changed(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in (part for each in targets for part in ast.walk(each)):
                if isinstance(target, ast.Attribute) and target.attr == "state":
                    owner = source.dotted(target.value).split(".")[-1]
                    yield node.lineno, NAMED_AFTER.get(owner, f"{owner!r}, whatever that is")
    for call in source.calls(tree):
        if source.dotted(call.func).split(".")[-1] in ("update", "insert", "delete") and call.args:
            name = source.dotted(call.args[0])
            if name in WRITERS:
                yield call.lineno, name


def test_only_doors_open_a_write_transaction() -> None:
    assert list(writing(source.application())) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("bookings/checkout.py", "with db.writing():\n    pass"),
        ("bookings/lifecycle.py", "def f():\n    with writing():\n        pass"),
        ("bookings/routes.py", "db.session.commit()"),
        ("courses/places.py", "db.session.begin_nested()"),
    ],
)
def test_another_is_seen(path: str, text: str) -> None:
    assert list(writing({path: text}))


def test_only_doors_ask_the_time() -> None:
    assert list(asking_the_time(source.application())) == []


@pytest.mark.parametrize(
    "text",
    [
        "x = clock.now()",
        "def f(now=clock.machine_now()): ...",
        "from lib.clock import now",
        "datetime.now(UTC)",
        "date.today()",
        "time.time()",
    ],
)
def test_another_who_asks_is_seen(text: str) -> None:
    assert list(asking_the_time({"courses/catalogue.py": text}))


def test_a_door_may_ask_but_only_our_clock() -> None:
    assert not list(asking_the_time({"courses/routes.py": "clock.now()"}))
    assert list(asking_the_time({"courses/routes.py": "datetime.now(UTC)"}))


def test_only_doors_look_at_the_request() -> None:
    assert list(looking_at_the_request(source.application())) == []


@pytest.mark.parametrize(
    "text", ["from flask import request", "from flask_login import current_user", "import flask\nflask.request.form"]
)
def test_another_who_looks_is_seen(text: str) -> None:
    assert list(looking_at_the_request({"bookings/checkout.py": text}))
    assert not list(looking_at_the_request({"bookings/payment_routes.py": text}))


def test_each_state_has_one_writer() -> None:
    assert list(states(source.application())) == []


@pytest.mark.parametrize(
    "text",
    [
        "booking.state = 'confirmed'",
        "attendee.place.state = 'taken'",
        "x, redemption.state = 1, 'used'",
        "update(Place).values(state='taken')",
        "db.session.execute(insert(Redemption).values(state='held'))",
        "Booking(state='confirmed')",
        "refund.state = 'failed'",
        "x.url, x.state = url, 'open'",
        "update(Letter).values(state='sent')",
    ],
)
def test_a_second_writer_is_seen(text: str) -> None:
    assert list(states({"bookings/pages.py": text}))


def test_who_makes_a_booking_does_not_change_it() -> None:
    assert not list(states({"bookings/checkout.py": "Booking(state='held')"}))
    assert list(states({"bookings/checkout.py": "booking.state = 'confirmed'"}))


def test_no_exception_outlives_its_need() -> None:
    known = source.application()
    for table in (WRITES, ASKS_THE_TIME, LOOKS_AT_THE_REQUEST):
        assert set(table) <= set(known)
    without = {path: known[path] for path in LOOKS_AT_THE_REQUEST}
    for path, text in without.items():
        assert any(name in OF_THE_REQUEST for _, name in source.imports(ast.parse(text))), f"{path} needs no exception"
