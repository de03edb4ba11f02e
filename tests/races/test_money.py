"""Money that is told of several times at once (PAY-01), by Stripe, by the returning buyer, by the worker: it counts
once, with one letter each; and the late webhook against the job that lets the hold lapse."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from bookings import checkout, jobs, payment_routes, settling
from bookings.models import Attendee, Booking, SentInvite
from courses import places
from demo.stripe.process import StandIn
from lib import clock as product_clock
from lib import db, work
from mail.models import Letter
from payments import gateway, inbox
from payments.models import Payment, PaymentAttempt, Refund, StripeEvent
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import Clock, Mailbox, at_once, deliver
from tests.page import PageClient
from tests.races import racing
from tests.races.racing import Meeting, a_buyer, a_wish, buying, claimed, page_of

pytestmark = pytest.mark.both_databases
COMPLETED, SUCCEEDED = "checkout.session.completed", "payment_intent.succeeded"


@dataclass
class Paid:
    """A booking whose page at Stripe was paid, and nobody here has heard of it."""

    app: Flask
    stripe: StandIn
    client: PageClient
    slug: str
    reference: str

    def ring(self, kind: str) -> Callable[[], int]:
        """Stripe delivers its event of that kind; the status."""
        event = self.stripe.events(kind)[-1]
        return lambda: deliver(cast(PageClient, self.app.test_client()), event).status_code

    def come_back(self) -> int:
        """The buyer returns from Stripe's page."""
        return self.client.get(f"/bookings/{self.reference}?returned=paid").status_code

    def lapse(self) -> str:
        """The worker looks at the hold that ran out."""
        with self.app.app_context():
            number = db.session.scalars(select(Booking.id).where(Booking.reference == self.reference)).one()
            db.session.rollback()
            about = f"booking:{number}"
            jobs.lapse(
                work.Task(0, checkout.LAPSE, about, {"booking": number}, product_clock.now(), 1), product_clock.now()
            )
        return "looked"

    def state(self) -> str:
        return dict(racing.bookings(self.app))[self.reference]

    def told(self) -> dict[str, int]:
        """How many rows there are of what must be there once."""
        kinds: dict[str, Any] = {
            "payments": select(func.count()).select_from(Payment).where(Payment.state == "succeeded"),
            "refunds": select(func.count()).select_from(Refund),
            "letters to attendees": select(func.count()).select_from(Letter).where(Letter.template == "confirmed"),
            "receipts": select(func.count()).select_from(Letter).where(Letter.template == "receipt"),
            "invites": select(func.count()).select_from(SentInvite),
            "places": select(func.count()).select_from(Attendee).where(Attendee.state == "confirmed"),
        }
        with self.app.app_context():
            found = {name: db.session.scalar(query) or 0 for name, query in kinds.items()}
        return found | {"code uses": racing.code_uses(self.app, "TENOFF")}


ONCE = {
    "payments": 1,
    "refunds": 0,
    "letters to attendees": 1,
    "receipts": 1,
    "invites": 1,
    "places": 1,
    "code uses": 1,
}


@pytest.fixture
def paid(app: Flask, stripe: StandIn, browser: Callable[[], PageClient]) -> Paid:
    with arranged(app):
        slug = a_workshop(capacity=1).slug
        a_code(code="TENOFF", percent=10, uses_total=1)
    client = browser()
    page = page_of(a_buyer(client, slug, {"discount_code": "TENOFF"}).press())
    stripe.pay(page.rpartition("/")[2])
    return Paid(app, stripe, client, slug, racing.bookings(app)[-1][0])


def any_payment_counts(patch: pytest.MonkeyPatch) -> None:
    """Take the guards away: a payment is no longer known again by its intent, nor an event by its id, nor that a page
    is paid once."""
    real = inbox.remember

    def new(intent: str, attempt: PaymentAttempt, now: Any) -> Payment:
        made = Payment(
            organiser_id=attempt.organiser_id,
            bill_id=attempt.bill_id,
            attempt_id=attempt.id,
            payment_intent=f"{intent}-{uuid4().hex}",
            state="pending",
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            at=now,
        )
        db.session.add(made)
        db.session.flush()
        return made

    def remember(event: inbox.Event, *rest: Any) -> None:
        real(inbox.Event(f"evt_{uuid4().hex}", event.kind, event.object_id, event.is_live), *rest)

    patch.setattr(settling, "_payment", new)
    patch.setattr(settling, "_is_of_another", lambda _intent, _attempt: False)
    patch.setattr(inbox, "remember", remember)
    patch.setattr(inbox, "is_known", lambda _event: False)


class TestOneEventTwiceAtOnce:
    def test_counts_once(self, paid: Paid, monkeypatch: pytest.MonkeyPatch) -> None:
        racing.pausing(monkeypatch, inbox, "is_known", Meeting(2, 5))  # neither knows it yet
        assert racing.together([paid.ring(COMPLETED)] * 2) == [204, 204]
        assert paid.told() == ONCE
        assert paid.state() == "confirmed"
        assert racing.faults(paid.app) == []

    def test_counts_once_a_third_and_fourth_time(self, paid: Paid) -> None:
        assert racing.together([paid.ring(COMPLETED)] * 2) == [204, 204]
        assert racing.together([paid.ring(COMPLETED)] * 2) == [204, 204]
        with paid.app.app_context():
            assert db.session.scalar(select(func.count()).select_from(StripeEvent)) == 1
        assert paid.told() == ONCE

    def test_is_taken_for_a_second_payment_without_the_keys(self, paid: Paid, monkeypatch: pytest.MonkeyPatch) -> None:
        any_payment_counts(monkeypatch)
        assert racing.together([paid.ring(COMPLETED)] * 2) == [204, 204]
        assert paid.told() == ONCE | {"payments": 2, "refunds": 1}


class TestTwoEventsOfOnePayment:
    def test_count_once(self, paid: Paid, monkeypatch: pytest.MonkeyPatch) -> None:
        racing.pausing(monkeypatch, inbox, "is_known", Meeting(3, 5))
        rung = [paid.ring(COMPLETED), paid.ring(SUCCEEDED), paid.ring(COMPLETED)]
        assert racing.together(rung) == [204, 204, 204]
        assert paid.told() == ONCE
        assert paid.state() == "confirmed"

    def test_are_taken_for_two_payments_without_the_key(self, paid: Paid, monkeypatch: pytest.MonkeyPatch) -> None:
        any_payment_counts(monkeypatch)
        assert racing.together([paid.ring(COMPLETED), paid.ring(SUCCEEDED)]) == [204, 204]
        assert paid.told() == ONCE | {"payments": 2, "refunds": 1}


class TestTheWebhookAndTheReturningBuyer:
    def test_confirm_once(self, paid: Paid, monkeypatch: pytest.MonkeyPatch) -> None:
        racing.pausing(monkeypatch, settling, "_mismatch", Meeting(2))
        assert racing.together([paid.ring(COMPLETED), paid.come_back]) == [204, 200]
        assert paid.told() == ONCE
        assert paid.state() == "confirmed"

    def test_are_taken_for_two_payments_without_the_key(self, paid: Paid, monkeypatch: pytest.MonkeyPatch) -> None:
        any_payment_counts(monkeypatch)
        gate = Meeting(2, 5)
        real = gateway.read_checkout

        def read(page: str) -> Any:
            found = real(page)
            gate.wait()  # both have heard from Stripe before either writes
            return found

        monkeypatch.setattr(gateway, "read_checkout", read)
        assert racing.together([paid.ring(COMPLETED), paid.come_back]) == [204, 200]
        assert paid.told()["payments"] == 2


class TestTheLapseAndTheLateWebhook:
    def test_end_confirmed_whoever_is_first(self, paid: Paid, clock: Clock) -> None:
        clock.shift(minutes=37)
        assert racing.together([paid.lapse, paid.ring(COMPLETED)]) == ["looked", 204]
        assert paid.told() == ONCE
        assert (paid.state(), claimed(paid.app, paid.slug)) == ("confirmed", {"room": 1})
        assert racing.faults(paid.app) == []

    def test_the_lapse_alone_finds_the_money(self, paid: Paid, clock: Clock) -> None:
        clock.shift(minutes=37)
        assert paid.lapse() == "looked"
        assert paid.told() == ONCE
        assert paid.state() == "confirmed"

    def test_the_place_goes_although_it_is_paid_when_stripe_is_not_asked(
        self, paid: Paid, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock.shift(minutes=37)
        monkeypatch.setattr(payment_routes, "close_page", lambda _bill, _now: None)
        assert paid.lapse() == "looked"
        assert (paid.state(), claimed(paid.app, paid.slug)) == ("lapsed", {"room": 0})

    def test_money_for_a_place_that_another_took_meanwhile_goes_back(
        self, paid: Paid, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The late webhook and another buyer at the same moment (SEAT-02): the place or the money, never both."""
        clock.shift(minutes=37)
        racing.pausing(monkeypatch, places, "_lock", Meeting(2))
        wish = a_wish(paid.slug)

        def buy() -> str:
            with paid.app.app_context():
                return buying(wish)()

        results = racing.together([paid.ring(COMPLETED), buy])
        assert results[0] == 204
        has_place = isinstance(results[1], places.WorkshopFull)
        expected = ONCE if has_place else dict.fromkeys(ONCE, 0) | {"payments": 1, "refunds": 1}
        assert paid.told() == expected
        assert paid.state() == ("confirmed" if has_place else "lapsed")
        assert claimed(paid.app, paid.slug) == {"room": 1}


class TestTwoWorkersAndOneLetter:
    def letters(self, paid: Paid, mailbox: Mailbox) -> list[str]:
        paid.ring(COMPLETED)()

        def work_on() -> int:
            return work.run_due(paid.app.extensions["handlers"])

        at_once(paid.app, [work_on, work_on])
        return sorted(str(letter["Message-ID"]) for letter in mailbox.letters())

    def test_send_it_once(self, paid: Paid, mailbox: Mailbox) -> None:
        sent = self.letters(paid, mailbox)
        assert len(sent) == len(set(sent)) == 2

    def test_send_it_twice_without_the_claim(
        self, paid: Paid, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A worker that only looks for what is due finds what the other one has in hand."""
        meeting = Meeting(2, 5)
        taken: list[int] = []

        def look(_handlers: Any) -> work.Task | None:
            job = db.session.scalars(
                select(work.Job).where(work.Job.kind == "mail.deliver", work.Job.ended_at.is_(None)).order_by("id")
            ).first()
            found = work.Task(job.id, job.kind, job.about, job.arguments, job.due_at, 1) if job else None
            db.session.rollback()
            meeting.wait()
            taken.append(1)
            return found if len(taken) <= 2 else None

        monkeypatch.setattr(work, "claim", look)
        sent = self.letters(paid, mailbox)
        assert (len(sent), len(set(sent))) == (2, 1)
