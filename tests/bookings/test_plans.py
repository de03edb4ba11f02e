"""Bookings paid in parts, from the form to the last part: what is shown, asked for, paid, given up and owed."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, lifecycle, money_audit, moving, plan_pages, returning
from bookings.letters import booking_url
from bookings.models import Attendee, Booking
from courses.deposits import Deposit, Part
from courses.models import Workshop
from lib import clock as now
from lib import db, work
from mail.models import Letter
from payments import ledger, refunds
from payments.models import Bill, Instalment, PaymentAttempt, Refund
from policies import templates, versions
from tests.bookings.filling import send, typed
from tests.bookings.making import ANN, BOB, Made, a_wish, held, paid, receive
from tests.builders import a_code, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases
APRIL, MAY = date(2027, 4, 5), date(2027, 5, 3)  # Mondays; the clock stands on 2 March
PARTS = Deposit(12000, (Part(APRIL, 15000), Part(MAY, 15000)))
BEA = "bea@clinic.example"
OLU = "hello@olu-trains.example"


@pytest.fixture(autouse=True)
def _stopped(clock: Clock) -> None:
    """Every day of a plan is a day of the stopped clock's year."""


def a_slug(app: Flask, parts: Deposit = PARTS, *, in_days: int = 120, policy: str = "deposit_course") -> str:
    with arranged(app):
        owner = an_organiser()
        data = templates.by_key(policy).data(owner.zone, owner.currency)
        versions.write(owner.id, "Ours", data, actor="user:1", now=now.now())
        workshop = a_workshop(in_days=in_days, price_minor=None)
        a_ticket(
            workshop,
            code="self_funded",
            name="Self-funded",
            prices={"GBP": parts.total_minor},
            payment="deposit",
            terms=parts.terms(),
            is_full_price=True,
        )
        return workshop.slug


def a_plan(app: Flask, *people: tuple[str, str], slug: str = "", code: str = "") -> Made:
    """A booking whose deposit has come."""
    return paid(app, a_wish(slug or a_slug(app), people=people or [ANN], ticket="self_funded", code=code))


def rows(app: Flask, kind: type[Any]) -> list[Any]:
    with app.app_context():
        found = list(db.session.scalars(select(kind).order_by(kind.id)))
        db.session.expunge_all()
        return found


def parts(app: Flask) -> list[tuple[date, int, str]]:
    found = sorted(rows(app, Instalment), key=lambda each: (each.due_on, each.id))
    return [(each.due_on, each.minor, each.state) for each in found]


def letters(app: Flask, template: str) -> list[Letter]:
    return [each for each in rows(app, Letter) if each.template == template]


def balance(app: Flask) -> ledger.Balance:
    with app.app_context():
        return ledger.of_bill(db.session.scalars(select(Bill.id)).one())


def sound(app: Flask) -> None:
    with app.app_context():
        assert audit.faults(now.now()) == []
        assert money_audit.unpaid() == []


def pay(app: Flask, client: PageClient, made: Made, *, all_of_it: bool = False) -> int:
    """Press a button of the plan; the amount of the page at Stripe, which is not there."""
    client.get(made.url)
    found = form(client.get(f"/bookings/{made.reference}"), "/instalments")
    until = [each.value for each in found.buttons][-1 if all_of_it else 0]
    client.post(f"/bookings/{made.reference}/instalments", data={**found.values, "until": until})
    return int(rows(app, PaymentAttempt)[-1].amount_minor)


def do_work(app: Flask) -> None:
    with app.app_context():
        kinds = {name: each for name, each in app.extensions["handlers"].items() if name != "mail.deliver"}
        kinds["mail.deliver"] = lambda _task, _now: None
        work.run_due(kinds)


class TestBooking:
    def test_the_form_says_what_is_paid_now_and_what_when(self, app: Flask, client: PageClient) -> None:
        slug = a_slug(app)
        said = main_text(client.get(f"/workshops/{slug}/bookings/new"))
        assert "£120.00 now, £150.00 on Monday 5 April 2027 and £150.00 on Monday 3 May 2027" in said
        assert "days are those of London" in said

    @pytest.mark.parametrize(
        ("pay", "now_minor", "later"),
        [
            ("deposit", 12000, [("2027-04-05", 15000), ("2027-05-03", 15000)]),
            ("all", 42000, []),
        ],
    )
    def test_the_quote_says_it_too(
        self, app: Flask, client: PageClient, pay: str, now_minor: int, later: list[tuple[str, int]]
    ) -> None:
        slug = a_slug(app)
        data = typed(client, slug, changes={"pay": pay})
        told = send(client, slug, data, to="quote", as_json=True).get_json()
        assert (told["total_minor"], told.get("due_now_minor", 42000)) == (42000, now_minor)
        assert [(each["due_on"], each["minor"]) for each in told.get("later", ())] == later
        page = main_text(send(client, slug, data, to="quote"))
        assert ("Pay £120.00 now" in page) == (pay == "deposit")
        assert ("Pay £420.00" in page) == (pay == "all")

    def test_the_deposit_alone_is_asked_for_and_confirms(self, app: Flask, client: PageClient) -> None:
        slug = a_slug(app)
        made = held(app, a_wish(slug, ticket="self_funded"))
        assert [each.amount_minor for each in rows(app, PaymentAttempt)] == [12000]
        assert parts(app) == []
        waiting = main_text(client.get(f"{made.url}&returned=left"))
        assert "Pay £120.00" in waiting
        assert "Monday 3 May 2027" in waiting
        sound(app)

        receive(app, made)

        assert [each.state for each in rows(app, Booking)] == ["confirmed"]
        assert parts(app) == [(APRIL, 15000, "open"), (MAY, 15000, "open")]
        assert (balance(app).owed_minor, balance(app).paid_minor, balance(app).due_minor) == (42000, 12000, 30000)
        (receipt,) = letters(app, "receipt")
        assert receipt.values["paid"] == "£120.00"
        assert receipt.values["later"] == ["£150.00 on Monday 5 April 2027", "£150.00 on Monday 3 May 2027"]
        told = client.get(f"/bookings/{made.reference}.json").get_json()
        assert told["bill"]["paid_minor"] == 12000
        assert [each["state"] for each in told["instalments"]] == ["open", "open"]
        sound(app)

    def test_all_at_once_leaves_nothing_to_come(self, app: Flask, client: PageClient) -> None:
        slug = a_slug(app)
        data = typed(client, slug, changes={"pay": "all"})
        send(client, slug, data)
        assert [each.amount_minor for each in rows(app, PaymentAttempt)] == [42000]
        (booking,) = rows(app, Booking)
        assert booking.quote["deposits"] == {"0": 12000}
        assert "later" not in booking.quote

    def test_what_was_due_before_the_booking_is_paid_with_the_deposit(self, app: Flask, clock: Clock) -> None:
        clock.set("2027-04-05T00:30:00+01:00")
        a_plan(app)
        assert [each.amount_minor for each in rows(app, PaymentAttempt)] == [27000]
        assert parts(app) == [(MAY, 15000, "open")]
        sound(app)

    def test_an_hour_before_that_day_begins_for_the_organiser_it_is_still_to_come(
        self, app: Flask, clock: Clock
    ) -> None:
        clock.set("2027-04-04T23:30:00+01:00")  # 5 April already in most of Europe
        a_plan(app)
        assert parts(app)[0] == (APRIL, 15000, "open")
        assert rows(app, Instalment)[0].due_at == datetime(2027, 4, 4, 23, tzinfo=UTC)

    def test_another_way_to_stripe_asks_for_the_deposit_again(self, app: Flask, client: PageClient) -> None:
        made = held(app, a_wish(a_slug(app), ticket="self_funded"))
        with arranged(app):
            db.session.scalars(select(PaymentAttempt)).one().state = "expired"
        client.get(made.url)
        client.post(f"/bookings/{made.reference}/payment", data=form(client.get(made.url), "/payment").values)
        assert [each.amount_minor for each in rows(app, PaymentAttempt)] == [12000, 12000]

    def test_a_code_lowers_the_last_part(self, app: Flask) -> None:
        slug = a_slug(app)
        with arranged(app):
            a_code(code="TENOFF", percent=10)
        a_plan(app, ANN, BOB, slug=slug, code="TENOFF")
        assert parts(app) == [(APRIL, 30000, "open"), (MAY, 21600, "open")]
        assert balance(app).paid_minor == 24000
        sound(app)


class TestPaying:
    def test_the_next_part_is_paid_from_the_booking_s_page(self, app: Flask, client: PageClient) -> None:
        made = a_plan(app)
        client.get(made.url)
        page = main_text(client.get(f"/bookings/{made.reference}"))
        assert "Paid so far: £120.00" in page
        assert "Pay all the rest, £300.00" in page
        assert pay(app, client, made) == 15000
        sound(app)

        receive(app, made)

        assert [state for _, _, state in parts(app)] == ["paid", "open"]
        assert balance(app).due_minor == 15000
        (letter,) = letters(app, "instalment_paid")
        assert letter.values["later"] == ["£150.00 on Monday 3 May 2027"]
        assert [each.state for each in rows(app, Booking)] == ["confirmed"]
        sound(app)

    def test_all_the_rest_can_be_paid_early(self, app: Flask, client: PageClient) -> None:
        made = a_plan(app)
        assert pay(app, client, made, all_of_it=True) == 30000
        receive(app, made)
        assert [state for _, _, state in parts(app)] == ["paid", "paid"]
        assert balance(app).due_minor == 0
        page = main_text(client.get(f"/bookings/{made.reference}"))
        assert "Paid and confirmed" in page
        assert "Still to pay" not in page
        sound(app)

    def test_a_part_that_is_paid_cannot_be_asked_for_again(self, app: Flask, client: PageClient) -> None:
        made = a_plan(app)
        client.get(made.url)
        found = form(client.get(f"/bookings/{made.reference}"), "/instalments")
        first = {**found.values, "until": found.buttons[0].value}
        client.post(f"/bookings/{made.reference}/instalments", data=first)
        receive(app, made)
        again = client.post(f"/bookings/{made.reference}/instalments", data=first)
        assert again.status_code == 409
        assert "Nothing has been charged" in main_text(again)
        assert len(rows(app, PaymentAttempt)) == 2

    def test_money_that_comes_twice_pays_the_next_part_and_then_goes_back(self, app: Flask, client: PageClient) -> None:
        made = a_plan(app)
        pay(app, client, made)
        for _ in range(3):
            with arranged(app):
                newest = db.session.scalars(select(PaymentAttempt).order_by(PaymentAttempt.id.desc())).first()
                assert newest
                copied = {
                    name: getattr(newest, name)
                    for name in ("organiser_id", "bill_id", "amount_minor", "currency", "parameters", "created_at")
                }
                receive_key = f"attempt-{newest.id}-again"
                expires_at = newest.expires_at
            receive(app, made)
            with arranged(app):
                db.session.add(PaymentAttempt(key=receive_key, expires_at=expires_at, state="expired", **copied))
        assert [state for _, _, state in parts(app)] == ["paid", "paid"]
        assert [(each.amount_minor, each.state) for each in rows(app, Refund)] == [(15000, "waiting")]
        assert balance(app).due_minor == 0
        assert "had already been paid" in letters(app, "refunded_late")[0].values["why"]
        do_refunds(app)
        sound(app)

    def test_a_bank_s_answer_is_waited_for(self, app: Flask, client: PageClient, clock: Clock) -> None:
        made = a_plan(app)
        pay(app, client, made)
        receive(app, made, payment_status="unpaid", intent_status="processing")
        page = main_text(client.get(f"/bookings/{made.reference}"))
        assert "£150.00 is on its way from your bank" in page
        assert "Pay £150.00" not in page
        clock.set("2027-04-10T12:00:00Z")
        do_work(app)
        assert letters(app, "instalment_due") == []

    def test_a_stranger_cannot_open_or_pay(self, app: Flask, client: PageClient) -> None:
        made = a_plan(app)
        typed_in = form(client.get("/links"), "/links").values | {"until": str(rows(app, Instalment)[0].id)}
        assert client.post(f"/bookings/{made.reference}/instalments", data=typed_in).status_code == 404
        assert len(rows(app, PaymentAttempt)) == 1


def do_refunds(app: Flask) -> None:
    """Stripe is not there: what it was to send back is done."""
    for each in rows(app, Refund):
        with arranged(app):
            refunds.record(each.id, "succeeded", f"re_{each.id}", None, now.now())
    with arranged(app):
        for job in db.session.scalars(select(work.Job).where(work.Job.kind == refunds.SEND_BACK)):
            job.ended_at = now.now()


class TestLetters:
    WHEN = ("2027-03-29T08:00:00Z", "2027-04-05T08:00:00Z", "2027-04-08T08:00:00Z")  # nine o'clock in London

    def test_come_a_week_before_on_the_day_and_when_late_each_once(self, app: Flask, clock: Clock) -> None:
        a_plan(app)
        asked = []
        for at in self.WHEN:
            before = clock.set(at)
            clock.shift(seconds=-1)
            do_work(app)
            asked.append(len(letters(app, "instalment_due")))
            clock.set(before)
            do_work(app)
            do_work(app)
            asked.append(len(letters(app, "instalment_due")))
        assert asked == [0, 1, 1, 2, 2, 3]
        sent = letters(app, "instalment_due")
        assert [each.to_email for each in sent] == [BEA] * 3
        assert [each.values["heading"] for each in sent] == [
            "£150.00 is due on Monday 5 April 2027",
            "£150.00 is due today, Monday 5 April 2027",
            "£150.00 was due on Monday 5 April 2027",
        ]
        told = [each for each in letters(app, "organiser_notice") if "late" in each.values["title"]]
        assert [each.to_email for each in told] == [OLU]
        sound(app)

    def test_are_not_sent_again_by_a_worker_that_comes_twice(self, app: Flask, clock: Clock) -> None:
        a_plan(app)
        clock.set(self.WHEN[0])
        do_work(app)
        with arranged(app):
            for job in db.session.scalars(select(work.Job).where(work.Job.kind == "bookings.ask_for_instalment")):
                job.ended_at = None
        do_work(app)
        assert len(letters(app, "instalment_due")) == 1

    def test_stop_once_it_is_paid(self, app: Flask, client: PageClient, clock: Clock) -> None:
        made = a_plan(app)
        pay(app, client, made)
        receive(app, made)
        for at in self.WHEN:
            clock.set(at)
            do_work(app)
        assert [each.values["heading"] for each in letters(app, "instalment_due")] == []

    def test_stop_once_the_place_is_given_up(self, app: Flask, client: PageClient, clock: Clock) -> None:
        made = a_plan(app)
        give_up(client, made)
        for at in self.WHEN:
            clock.set(at)
            do_work(app)
        assert letters(app, "instalment_due") == []

    def test_what_was_missed_is_asked_for_as_it_is_now(self, app: Flask, clock: Clock) -> None:
        """A worker that stood still for weeks says that it is late, and not that it is due today."""
        a_plan(app)
        clock.set("2027-04-20T12:00:00Z")
        do_work(app)
        assert [each.values["is_late"] for each in letters(app, "instalment_due")] == [True]


def give_up(client: PageClient, made: Made, *numbers: int) -> None:
    client.get(made.url)
    page = f"/bookings/{made.reference}/cancellation"
    asked = f"{page}?{'&'.join(f'attendee={n}' for n in numbers)}" if numbers else page
    found = form(client.get(asked), "/cancellation#quote")
    data = {**found.values, "attendee": [str(n) for n in numbers or (0,)]}
    answer = client.post(page, data=data)
    assert answer.status_code == 303, main_text(answer)


class TestGivingUp:
    @pytest.mark.parametrize(
        ("paid_parts", "days_before", "back"),
        [
            (0, 60, 0),
            (1, 60, 14000),
            (1, 28, 14000),
            (1, 20, 7500),
            (1, 10, 0),
            (2, 60, 29000),
            (2, 14, 15000),
            (2, 13, 0),
        ],
    )
    def test_what_was_really_paid_comes_back_as_the_terms_say(
        self, app: Flask, client: PageClient, clock: Clock, paid_parts: int, days_before: int, back: int
    ) -> None:
        """The deposit is kept; the balance comes back less 10.00 to 28 days, half of it to 14 days, then nothing."""
        made = a_plan(app)
        for _ in range(paid_parts):
            pay(app, client, made)
            receive(app, made)
        with app.app_context():
            starts_at = db.session.scalars(select(Workshop.starts_at)).one()
        clock.set(starts_at)
        clock.shift(days=-days_before, seconds=-1)
        client.get(made.url)
        said = main_text(client.get(f"/bookings/{made.reference}/cancellation"))
        assert ("No longer owed" in said) == (paid_parts < 2)

        give_up(client, made)

        assert sum(each.amount_minor for each in rows(app, Refund)) == back
        assert [state for _, _, state in parts(app)] == ["paid"] * paid_parts + ["dropped"] * (2 - paid_parts)
        assert [each.total_minor for each in rows(app, Bill)] == [12000 + 15000 * paid_parts]
        assert balance(app).due_minor == 0
        do_refunds(app)
        sound(app)

    def test_all_paid_at_once_keeps_the_deposit_too(self, app: Flask, client: PageClient) -> None:
        slug = a_slug(app)
        send(client, slug, typed(client, slug, changes={"pay": "all"}))
        (booking,) = rows(app, Booking)
        with app.app_context():
            url = booking_url(db.session.get_one(Booking, booking.id))
        made = Made(booking.id, booking.reference, url, ())
        receive(app, made)
        give_up(client, made)
        assert sum(each.amount_minor for each in rows(app, Refund)) == 29000
        do_refunds(app)
        sound(app)

    def test_one_of_two_goes_and_the_other_s_parts_stay(self, app: Flask, client: PageClient) -> None:
        made = a_plan(app, ANN, BOB)
        give_up(client, made, 1)
        assert parts(app) == [
            (APRIL, 15000, "open"),
            (APRIL, 15000, "dropped"),
            (MAY, 15000, "open"),
            (MAY, 15000, "dropped"),
        ]
        assert balance(app).due_minor == 30000
        assert rows(app, Refund) == []
        assert pay(app, client, made) == 15000
        receive(app, made)
        sound(app)

    def test_a_page_that_asks_for_more_than_is_owed_gives_the_rest_back(self, app: Flask, client: PageClient) -> None:
        made = a_plan(app, ANN, BOB)
        assert pay(app, client, made) == 30000
        give_up(client, made, 1)
        receive(app, made)  # paid before the page could be closed
        assert [state for _, _, state in parts(app)].count("paid") == 2
        assert rows(app, Refund) == []
        assert balance(app).due_minor == 0
        sound(app)

    def test_a_payment_for_a_booking_that_was_cancelled_goes_back(self, app: Flask, client: PageClient) -> None:
        made = a_plan(app)
        pay(app, client, made)
        give_up(client, made)
        receive(app, made)
        assert [each.amount_minor for each in rows(app, Refund)] == [15000]
        assert balance(app).due_minor == 0
        do_refunds(app)
        with app.app_context():
            assert audit.faults(now.now()) == []

    def test_the_organiser_cancels_and_all_that_was_paid_goes_back(self, app: Flask, client: PageClient) -> None:
        made = a_plan(app)
        pay(app, client, made)
        receive(app, made)
        with arranged(app):
            workshop = db.session.scalars(select(Workshop)).one()
            assert moving.plan_cancel(workshop).totals == ["£270.00"]
            moving.cancel_workshop(workshop, "Ill", actor="user:1", now=now.now())
        assert sum(each.amount_minor for each in rows(app, Refund)) == 27000
        assert [state for _, _, state in parts(app)] == ["paid", "dropped"]
        do_refunds(app)
        sound(app)


class TestOtherChanges:
    def test_a_colleague_takes_the_place_with_its_plan(self, app: Flask, client: PageClient) -> None:
        made = a_plan(app)
        client.get(made.url)
        page = f"/bookings/{made.reference}/attendees/0/substitution"
        found = form(client.get(page), "/substitution")
        answer = client.post(page, data={**found.values, "name": "Cy Carter", "email": "cy@clinic.example"})
        assert answer.status_code == 303
        assert [each.name for each in rows(app, Attendee)] == ["Cy Carter"]
        assert [state for _, _, state in parts(app)] == ["open", "open"]
        sound(app)

    def test_a_move_to_another_date_is_settled_with_the_organiser(self, app: Flask, client: PageClient) -> None:
        slug = a_slug(app, policy="graded_30_14")
        with arranged(app):
            a_workshop(in_days=150, price_minor=42000)
        made = a_plan(app, slug=slug)
        client.get(made.url)
        said = main_text(client.get(f"/bookings/{made.reference}/transfer?attendee=0"))
        assert "£300.00 of the place is still to be paid" in said
        assert OLU in said

    def test_money_sent_back_by_hand_leaves_the_plan_as_it_is(self, app: Flask) -> None:
        made = a_plan(app)
        with arranged(app):
            booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
            returning.give(booking, 2000, source="organiser", reason="Sorry", actor="user:1", now=now.now())
        assert (balance(app).owed_minor, balance(app).due_minor) == (40000, 30000)
        do_refunds(app)
        sound(app)


def test_what_is_late_comes_first_with_its_days(app: Flask, clock: Clock) -> None:
    slug = a_slug(app)
    a_plan(app, slug=slug)
    clock.set("2027-04-10T12:00:00Z")
    a_plan(app, BOB, slug=slug)  # pays what is due by now at once
    with app.app_context():
        found = plan_pages.open_plans(an_organiser().id, now.now())
        assert [(each.late_minor, each.days_late, each.plan.open_minor) for each in found] == [
            (15000, 5, 30000),
            (0, 0, 15000),
        ]
