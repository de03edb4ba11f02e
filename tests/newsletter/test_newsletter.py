"""Asking for news, confirming it, the code that comes with it, and leaving (NEWS-01)."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from accounts.models import Consent
from bookings.models import DiscountCode
from history.models import Entry
from lib import clock as product_clock
from lib import db, work
from mail import compose
from mail.compose import Parts
from mail.models import Letter
from newsletter import jobs, letters
from newsletter.models import Subscriber
from tests.bookings.making import ANN, a_wish, paid
from tests.builders import a_placement, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases
PARTS = Parts("s", "t", "<p>t</p>")
INES = "ines@carraway.example"


@pytest.fixture
def offered(app: Flask) -> None:
    """A form on the home page, with 20% for 90 days."""
    with arranged(app):
        a_placement()


def do_the_work(app: Flask) -> None:
    """Write the letters that were asked for."""
    now = product_clock.now()
    with app.app_context():
        waiting = list(
            db.session.scalars(select(work.Job).where(work.Job.kind == jobs.ASK, work.Job.ended_at.is_(None)))
        )
        tasks = [work.Task(job.id, job.kind, job.about, job.arguments, now, 1) for job in waiting]
        for task in tasks:
            jobs.ask(task, now)
        with db.writing():
            db.session.execute(update(work.Job).where(work.Job.kind == jobs.ASK).values(ended_at=now))


def ask(app: Flask, client: PageClient, email: str = INES, path: str = "/newsletter") -> Any:
    answer = client.submit(form(client.get(path), "/newsletter"), {"email": email})
    do_the_work(app)
    return answer


def posted(app: Flask, email: str = INES) -> list[Letter]:
    with app.app_context():
        found = list(db.session.scalars(select(Letter).where(Letter.to_email == email).order_by(Letter.id)))
        db.session.expunge_all()
        return found


def subscriber(app: Flask, email: str = INES) -> Subscriber:
    with app.app_context():
        found = db.session.scalars(select(Subscriber).where(Subscriber.email == email)).one()
        found.code  # noqa: B018 - read while the session is there
        db.session.expunge_all()
        return found


def anybody(app: Flask) -> FlaskClient:
    """A program without cookies."""
    return FlaskClient(app, app.response_class)


def path(url: str) -> str:
    return "/newsletter/" + url.split("/newsletter/")[1]


def join(app: Flask, client: PageClient, email: str = INES) -> Subscriber:
    """Asked for, and confirmed from the letter."""
    ask(app, client, email)
    there = path(posted(app, email)[-1].values["confirm_url"])
    assert client.submit(form(client.get(there), "/newsletter/confirm")).status_code == 303
    return subscriber(app, email)


def test_the_home_page_asks_and_a_letter_asks_back(app: Flask, client: PageClient, clock: Clock, offered: None) -> None:
    assert "20% off your first online event" in main_text(client.get("/"))

    answer = ask(app, client, " Ines@Carraway.example ", path="/")

    assert (answer.status_code, answer.location) == (303, "/newsletter/asked")
    assert "Look in your letters" in main_text(client.get(answer.location))
    (letter,) = posted(app)
    assert letter.template == "newsletter_confirm"
    assert subscriber(app).state == "asked"
    with app.app_context():
        assert list(db.session.scalars(select(DiscountCode))) == []
        assert list(db.session.scalars(select(Consent))) == []


def test_no_form_where_nothing_is_offered(client: PageClient, clock: Clock) -> None:
    assert 'action="/newsletter"' not in client.get("/").get_data(as_text=True)
    assert client.get("/newsletter").status_code == 404


def test_an_address_that_is_none_is_said(client: PageClient, clock: Clock, offered: None) -> None:
    answer = client.submit(form(client.get("/newsletter"), "/newsletter"), {"email": "ines@"})

    assert answer.status_code == 422
    assert "is not a whole email address" in main_text(answer)


def test_the_answer_is_the_same_whether_the_address_is_known_or_not(
    app: Flask, client: PageClient, clock: Clock, offered: None
) -> None:
    join(app, client)
    answers = [
        client.submit(form(client.get("/newsletter"), "/newsletter"), {"email": e}) for e in (INES, "x@y.example")
    ]

    assert [(each.status_code, each.location, each.get_data()) for each in answers] == [
        (303, "/newsletter/asked", answers[0].get_data())
    ] * 2


def test_news_01_scanners_confirm_nothing_and_end_nothing(
    app: Flask, client: PageClient, clock: Clock, offered: None
) -> None:
    ask(app, client)
    there = path(posted(app)[-1].values["confirm_url"])
    for _ in range(2):
        assert "Yes, write to me" in main_text(client.get(there))
        assert client.head(there).status_code == 200
    assert subscriber(app).state == "asked"

    known = join(app, client)
    with app.app_context():
        leaves = path(letters.unsubscribe_url(known))
    for _ in range(2):
        page = client.get(leaves)
        assert "Send me no more news" in main_text(page)
        assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
        assert client.head(leaves).status_code == 200
    assert subscriber(app).state == "subscribed"


def test_news_01_one_click_needs_no_cookie_and_no_token_of_a_form(
    app: Flask, client: PageClient, clock: Clock, offered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    join(app, client)
    leaves = path(posted(app)[-1].values["unsubscribe_url"])
    elsewhere = anybody(app)
    for _ in range(2):
        answer = elsewhere.post(leaves, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert "You have left the list" in answer.get_data(as_text=True)
    assert subscriber(app).state == "left"
    with app.app_context():
        (given,) = db.session.scalars(select(Consent))
        assert given.withdrawn_at == clock.at
        verbs = list(db.session.scalars(select(Entry.verb).where(Entry.about.like("subscriber:%"))))
        assert verbs == ["newsletter_confirmed", "newsletter_left"]


def test_news_01_receipts_and_invites_still_reach_who_has_left(
    app: Flask, client: PageClient, clock: Clock, offered: None
) -> None:
    known = join(app, client, ANN[1])
    with app.app_context():
        leaves = path(letters.unsubscribe_url(known))
    anybody(app).post(leaves)
    with arranged(app):
        slug = a_workshop().slug

    paid(app, a_wish(slug, people=[ANN], booker=ANN))

    assert {each.template for each in posted(app, ANN[1])} >= {"receipt", "confirmed"}


def test_a_letter_to_a_list_says_how_to_leave_it(app: Flask, client: PageClient, clock: Clock, offered: None) -> None:
    join(app, client)
    with app.app_context():
        asking, welcome = db.session.scalars(select(Letter).order_by(Letter.id))
        heads = [
            message_from_bytes(
                compose.compose(each, Parts("s", "t", "<p>t</p>"), "a@b.example").content, policy=policy.SMTP
            )
            for each in (asking, welcome)
        ]

    assert heads[0]["List-Unsubscribe"] is None
    assert heads[1]["List-Unsubscribe"] == f"<{welcome.values['unsubscribe_url']}>"
    assert heads[1]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_who_confirms_gets_a_code_of_their_own(app: Flask, client: PageClient, clock: Clock, offered: None) -> None:
    known = join(app, client)

    code = known.code
    assert code is not None
    assert (code.percent, code.person, code.uses_total, code.covers) == (20, INES, 1, 1)
    assert code.full_price_only
    assert code.first_online_only
    # The 90th day after 2 March 2027 is 31 May, to its last second in London.
    assert code.valid_until == datetime(2027, 5, 31, 22, 59, 59, tzinfo=UTC)
    letter = posted(app)[-1]
    assert (letter.template, letter.values["code"], letter.values["percent"]) == ("newsletter_welcome", code.code, 20)
    with app.app_context():
        (given,) = db.session.scalars(select(Consent))
        assert (given.email, given.kind, given.about) == (INES, "marketing", f"subscriber:{known.id}")


def test_a_person_gets_one_code_however_often_they_ask(
    app: Flask, client: PageClient, clock: Clock, offered: None
) -> None:
    first = join(app, client)
    ask(app, client)  # known already: the code once more
    assert posted(app)[-1].values["code"] == posted(app)[-2].values["code"]
    with app.app_context():
        leaves = path(letters.unsubscribe_url(first))
    anybody(app).post(leaves)
    join(app, client)
    tagged = join(app, client, "ines+again@carraway.example")

    assert subscriber(app).code_id == first.code_id
    assert tagged.code_id is None
    with app.app_context():
        assert len(list(db.session.scalars(select(DiscountCode)))) == 1


def test_a_dead_link_to_confirm_stays_dead(app: Flask, client: PageClient, clock: Clock, offered: None) -> None:
    ask(app, client)
    there = path(posted(app)[-1].values["confirm_url"])
    assert client.submit(form(client.get(there), "/newsletter/confirm")).status_code == 303
    assert client.get(there).status_code == 200
    with app.app_context():
        leaves = path(letters.unsubscribe_url(subscriber(app)))
    anybody(app).post(leaves)

    assert client.get(there).status_code == 404
    assert subscriber(app).state == "left"


@pytest.mark.parametrize("what", ["confirm", "unsubscribe"])
def test_a_stranger_s_token_is_an_unknown_address(
    app: Flask, client: PageClient, clock: Clock, offered: None, what: str
) -> None:
    join(app, client)
    values = posted(app)[-1].values
    swapped = values["unsubscribe_url"].rsplit("/", 1)[1]  # right, and for something else
    for token in ("nonsense", "1-" + "a" * 27, swapped if what == "confirm" else "9" + swapped):
        assert client.get(f"/newsletter/{what}/{token}").status_code == 404
        assert anybody(app).post(f"/newsletter/unsubscribe/x{token}").status_code == 404


def test_another_placement_has_another_offer_and_a_closed_one_none(
    app: Flask, client: PageClient, clock: Clock
) -> None:
    with arranged(app):
        a_placement(name="autumn-talks", percent=25, lasts_days=None)
        a_placement(name="plain", percent=None)
        a_placement(organiser=an_organiser(slug="other", name="Other"), name="closed").is_open = False

    assert client.get("/newsletter?organiser=other&placement=closed").status_code == 404
    answer = client.submit(form(client.get("/newsletter?placement=autumn-talks"), "/newsletter"), {"email": INES})
    assert answer.status_code == 303
    do_the_work(app)
    there = path(posted(app)[-1].values["confirm_url"])
    client.submit(form(client.get(there), "/newsletter/confirm"))
    code = subscriber(app).code
    assert code is not None
    assert (code.percent, code.valid_until) == (25, None)

    client.submit(form(client.get("/newsletter?placement=plain"), "/newsletter"), {"email": "zed@x.example"})
    do_the_work(app)
    there = path(posted(app, "zed@x.example")[-1].values["confirm_url"])
    client.submit(form(client.get(there), "/newsletter/confirm"))
    assert subscriber(app, "zed@x.example").code is None
    assert posted(app, "zed@x.example")[-1].values["code"] is None
