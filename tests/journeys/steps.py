"""What visitors, Stripe and the worker do in a journey, a line each."""

import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32
from email.utils import getaddresses
from threading import Barrier
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import stripe as stripe_sdk
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import ColumnElement, select, update
from werkzeug.test import TestResponse

from bookings.models import Booking
from demo.stripe.process import StandIn
from lib import db
from lib.work import Job, run_due
from tests.builders import arranged
from tests.conftest import WEBHOOK_SECRET, Clock, Mailbox, Person, deliver
from tests.page import Form, PageClient, form, inspect_page, main_text

Row = TypeVar("Row", bound=db.Base)
COMPLETED = "checkout.session.completed"
EXPIRED = "checkout.session.expired"
SESSIONS = "/v1/checkout/sessions"
REFUNDS = "/v1/refunds"


@dataclass
class Visitor:
    """Somebody with a browser of their own."""

    client: PageClient

    def form(self, slug: str, people: int = 1) -> Form:
        """The booking form with as many people, each added by its button."""
        answer = self.client.get(f"/workshops/{slug}/bookings/new")
        assert answer.status_code == 200, main_text(answer)
        for _ in range(people - 1):
            answer = self._press_add(form(answer, "/bookings"))
        return form(answer, "/bookings")

    def _press_add(self, filled: Form) -> TestResponse:
        """The form again with one person more: the one POST that a page answers, since it changes nothing."""
        answer = FlaskClient.open(self.client, filled.action, method="POST", data=filled.sent("add"))
        assert answer.status_code == 200
        assert inspect_page(answer.get_data(as_text=True)) == []
        return answer

    def send(self, filled: Form, booker: Person, attending: Sequence[Person], **changes: str | bool) -> TestResponse:
        """Fill the form in and press the button that goes on."""
        return self.client.submit(filled, typed(booker, attending, **changes))

    def book(self, slug: str, booker: Person, *attending: Person, **changes: str | bool) -> str:
        """Book, and follow to the address of the payment page."""
        answer = self.send(self.form(slug, len(attending)), booker, attending, **changes)
        assert answer.status_code == 303, f"{answer.status_code}: {main_text(answer)}"
        assert "/pay/cs_" in answer.location, answer.location
        return str(answer.location)

    def told(self, reference: str) -> dict[str, Any]:
        """The booking for programs."""
        answer = self.client.get(f"/bookings/{reference}.json")
        assert answer.status_code == 200
        return cast(dict[str, Any], answer.get_json())

    def state(self, reference: str) -> str:
        return str(self.told(reference)["state"])

    def page(self, reference: str, **query: str) -> TestResponse:
        return self.client.get(f"/bookings/{reference}", query_string=query)

    def pay_again(self, reference: str) -> TestResponse:
        """Press the button on the booking's page that leads to the payment page."""
        return self.client.submit(form(self.page(reference), "/payment"))


@dataclass
class Walk:
    """A house with everything around it: Stripe, a mail server, a clock, and as many browsers as wanted."""

    app: Flask
    stripe: StandIn
    mailbox: Mailbox
    clock: Clock

    def visitor(self) -> Visitor:
        return Visitor(cast(PageClient, self.app.test_client()))

    def work(self) -> int:
        """Let the worker do what is due."""
        with self.app.app_context():
            return run_due(self.app.extensions["handlers"])

    def forget_pauses(self) -> None:
        """As if every pause and every lease had run out."""
        with arranged(self.app):
            db.session.execute(update(Job).values(pause_until=None, lease_until=None))

    def ring(self, event: str | Mapping[str, Any], secret: str = WEBHOOK_SECRET) -> int:
        """Stripe delivers an event: the latest one of a kind, or this one. The status of the answer."""
        told = dict(event) if isinstance(event, Mapping) else self.stripe.events(event)[-1]
        return deliver(FlaskClient(self.app, self.app.response_class), told, secret).status_code

    def rows(self, model: type[Row], *where: ColumnElement[bool]) -> list[Row]:
        """Rows as they are now, oldest first, out of any session."""
        with self.app.app_context():
            found = list(db.session.scalars(select(model).where(*where).order_by(model.__table__.c.id)))
            db.session.expunge_all()
            return found

    def one(self, model: type[Row], *where: ColumnElement[bool]) -> Row:
        found = self.rows(model, *where)
        assert len(found) == 1, f"{len(found)} rows of {model.__tablename__}"
        return found[0]

    def reference(self) -> str:
        """The latest booking's."""
        return self.rows(Booking)[-1].reference

    def letters(self, to: str = "") -> list[EmailMessage]:
        """What has arrived once the worker has done what is due."""
        self.work()
        return self.mailbox.letters(to)

    def subjects(self, to: str = "") -> list[str]:
        return [str(each["Subject"]) for each in self.letters(to)]

    def session_by_key(self, key: str) -> str:
        """The id of the page that Stripe made for an attempt, whoever heard of it."""
        api = stripe_sdk.StripeClient("sk_test_of_the_test", base_addresses={"api": self.stripe.url})
        found = api.v1.checkout.sessions.list()
        made = [each.id for each in found.data if each.metadata is not None and each.metadata["attempt"] == key]
        assert len(made) == 1, f"{len(made)} pages for {key}"
        return made[0]

    def calls(self, method: str, path: str) -> list[dict[str, Any]]:
        """What Stripe was asked, by method and the end of the path."""
        return [each for each in self.stripe.requests() if each["method"] == method and each["path"].endswith(path)]


def typed(booker: Person, attending: Sequence[Person], **changes: str | bool) -> dict[str, str | bool]:
    """The fields of a filled booking form; underscores in `changes` stand for themselves."""
    people = {
        f"attendee-{n}-{name}": value
        for n, person in enumerate(attending)
        for name, value in (("name", person.name), ("email", person.email))
    }
    return {**people, "booker_name": booker.name, "booker_email": booker.email, "agree_terms": True, **changes}


def session_of(url: str) -> str:
    """The id of a payment page from its address."""
    return url.rpartition("/")[2]


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Do these at the same moment, each in a thread of its own; what each gave back."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        gate.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(run, call) for call in calls]]


def parts(letter: EmailMessage) -> dict[str, str]:
    """The text of every part that is no container, by its kind and name."""
    return {
        f"{part.get_content_type()} {part.get_filename() or ''}".strip(): body(part)
        for part in letter.walk()
        if not part.is_multipart()
    }


def body(part: EmailMessage) -> str:
    return cast(bytes, part.get_payload(decode=True)).decode("utf-8")


def display_name(letter: EmailMessage, header: str) -> str:
    """The one name of a header as RFC 2047 reads it: white space between encoded words is none (Python's newer
    parser keeps it)."""
    raw = str(message_from_bytes(letter.as_bytes(), policy=compat32)[header])
    ((name, _),) = getaddresses(["".join(raw.splitlines())])
    return str(make_header(decode_header(name)))


def calendars(letter: EmailMessage) -> dict[str, bytes]:
    """The calendars of a letter, the one in its body under the empty name."""
    return {
        part.get_filename() or "": cast(bytes, part.get_payload(decode=True))
        for part in letter.walk()
        if part.get_content_type() == "text/calendar"
    }


def events(calendar: bytes) -> list[Any]:
    """The entries of a calendar; of any type, since icalendar's own says little about a property."""
    return list(Calendar.from_ical(calendar).walk("VEVENT"))


def lines(calendar: bytes) -> list[str]:
    """A calendar's content lines, unfolded (RFC 5545 3.1)."""
    return calendar.decode("utf-8").replace("\r\n ", "").split("\r\n")


def shape(part: EmailMessage) -> Any:
    """A letter's tree of kinds: a text for a leaf, (kind, [children]) for a container."""
    kind = part.get_content_type()
    if not part.is_multipart():
        return kind
    return kind, [shape(cast(EmailMessage, each)) for each in cast(list[Any], part.get_payload())]


def refuse_mail(mailbox: Mailbox, *faults: Mapping[str, Any]) -> None:
    """Order the mail server to refuse; without faults it takes everything again."""
    with closing(http.client.HTTPConnection(urlsplit(mailbox.http).netloc, timeout=30)) as connection:
        connection.request("POST", "/_test/faults", json.dumps({"faults": list(faults)}))
        assert connection.getresponse().status == 204
