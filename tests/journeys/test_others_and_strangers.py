"""SEC-03 to SEC-05 along a booking: no foreign host in anything sent, no page for anybody but its holder, no script."""

from email.message import EmailMessage
from typing import cast

import pytest

from bookings.models import Attendee, Booking
from lib import links
from mail.models import Letter
from payments.models import PaymentAttempt
from tests.builders import a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, SESSIONS, Visitor, Walk, body, calendars, parts, typed
from tests.page import tree

pytestmark = pytest.mark.both_databases
EVIL = "evil.example"


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        return a_workshop().slug


@pytest.mark.parametrize(
    ("headers", "statuses"),
    [
        ({"Host": EVIL}, {400}),
        ({"Host": f"localhost.{EVIL}"}, {400}),
        ({"X-Forwarded-Host": EVIL}, {303}),
        ({"Forwarded": f"host={EVIL};proto=https"}, {303}),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": f"//{EVIL}"}, {303}),
    ],
)
def test_a_foreign_host_is_in_nothing_we_send(
    walk: Walk,
    visitor: Visitor,
    slug: str,
    bea: Person,
    ann: Person,
    headers: dict[str, str],
    statuses: set[int],
) -> None:
    filled = visitor.form(slug)
    filled.fill(typed(bea, [ann]))
    answer = visitor.client.post(filled.action, data=filled.sent(), headers=headers)
    assert answer.status_code in statuses
    assert EVIL not in answer.get_data(as_text=True)
    if answer.status_code == 400:
        assert walk.rows(Booking) == []
        assert walk.stripe.requests() == []
        return
    sent = walk.calls("POST", SESSIONS)[0]["params"]
    for name in ("success_url", "cancel_url"):
        assert sent[name].startswith("http://localhost/bookings/")
    assert EVIL not in str(walk.stripe.requests())
    walk.stripe.pay(answer.location)
    assert walk.ring(COMPLETED) == 204
    for letter in walk.letters():
        whole = letter.as_string() + "".join(parts(letter).values())
        assert EVIL not in whole
        assert "http://localhost/" in whole
    for path in ("/workshops.ics", f"/workshops/{slug}/calendar.ics", "/workshops.json"):
        feed = visitor.client.get(path, headers=headers)
        assert EVIL not in feed.get_data(as_text=True)
        assert "http://localhost/" in feed.get_data(as_text=True)


def test_each_key_opens_one_thing(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person, zed: Person
) -> None:
    walk.stripe.pay(visitor.book(slug, bea, ann, bob))
    assert walk.ring(COMPLETED) == 204
    reference = walk.reference()
    walk.visitor().book(slug, zed, zed)
    with walk.app.app_context():
        hers, his = (links.token("place", each.id, 1) for each in walk.rows(Attendee)[:2])
        key = links.sign("booking", walk.rows(Booking)[0].id, 1)
        wrong_purpose = links.token("booking", walk.rows(Attendee)[0].id, 1)
        forged = f"{hers.partition('-')[0]}-{his.partition('-')[2]}"
    stranger = walk.visitor().client
    nowhere = stranger.get("/places/999-aaaaaaaaaaaaaaaaaaaaaaaaaaa").get_data()
    for path in (
        f"/bookings/{reference}",
        f"/bookings/{reference}.json",
        f"/bookings/{reference}?key={his.partition('-')[2]}",
        f"/bookings/{reference}?key=",
        f"/bookings/{walk.reference()}?key={key}",
        f"/places/{wrong_purpose}",
        f"/places/{forged}",
        f"/places/{hers[:-1]}",
        f"/places/{hers.swapcase()}",
        f"/places/{forged}/invites/1.ics",
        f"/places/{his}/invites/2.ics",
        f"/places/{his}/invites/0.ics",
    ):
        answer = stranger.get(path)
        assert answer.status_code == 404, path
        if not path.endswith(".json"):
            assert answer.get_data() == nowhere, path
    mine = stranger.get(f"/places/{his}")
    assert mine.status_code == 200
    assert (mine.headers["Cache-Control"], mine.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    for page in (mine, stranger.get(f"/places/{his}.json"), stranger.get(f"/places/{his}/invites/1.ics")):
        text = page.get_data(as_text=True)
        for other in (ann.name, ann.email, bea.name, bea.email, "168", "336", reference, key, hers):
            assert other not in text
    booking = walk.visitor().client.get(f"/bookings/{reference}?key={key}")
    assert booking.status_code == 200
    assert (booking.headers["Cache-Control"], booking.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    for way_in in (hers, his, "/places/"):
        assert way_in not in booking.get_data(as_text=True)


def test_no_place_before_it_is_paid(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    visitor.book(slug, bea, ann)
    with walk.app.app_context():
        token = links.token("place", walk.one(Attendee).id, 1)
    told = visitor.client.get(f"/places/{token}.json").get_json()
    assert (told["state"], told["invite_urls"], told["calendar_links"]) == ("held", [], [])
    assert visitor.client.get(f"/places/{token}/invites/1.ics").status_code == 404
    walk.clock.shift(minutes=36)
    assert visitor.client.get(f"/places/{token}.json").get_json()["state"] == "lapsed"


SCRIPT = "<svg onload=alert(1)><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_script_in_names_and_titles_stays_text(walk: Walk, visitor: Visitor, bea: Person) -> None:
    with arranged(walk.app):
        slug = a_workshop(title=f"Grief {SCRIPT}").slug
    evil = Person(SCRIPT, "ana@example.com")
    walk.stripe.pay(visitor.book(slug, Person(SCRIPT, bea.email), evil))
    assert walk.ring(COMPLETED) == 204
    with walk.app.app_context():
        token = links.token("place", walk.one(Attendee).id, 1)
    pages = [
        visitor.client.get(path).get_data(as_text=True)
        for path in (f"/workshops/{slug}", "/workshops", f"/bookings/{walk.reference()}", f"/places/{token}")
    ]
    html = [body(cast(EmailMessage, letter.get_body(("html",)))) for letter in walk.letters()]
    assert len(html) == 2
    for text in pages + html:
        root = tree(text)
        assert not [each for each in root.iter("svg") if each.get("onload")]
        assert not [each for each in root.iter("img") if each.get("onerror")]
        assert {each.get("type") for each in root.iter("script") if not each.get("src")} <= {"application/ld+json"}
        assert "alert(1)" in "".join(root.itertext())
    (found, *_) = (calendars(letter)[""] for letter in walk.letters("ana@example.com"))
    assert b"&lt;" not in found
    policy = visitor.client.get(f"/workshops/{slug}").headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy


def test_the_keys_of_links_are_in_no_row(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    walk.stripe.pay(visitor.book(slug, bea, ann))
    walk.ring(COMPLETED)
    walk.letters()
    assert {each.state for each in walk.rows(PaymentAttempt)} == {"completed"}
    assert {each.state for each in walk.rows(Letter)} == {"sent"}
    assert not any("whsec_" in str(each.values) or "sk_test_" in str(each.values) for each in walk.rows(Letter))
