"""Every form that can be wrong says so twice: at its field, and in a list at the top that leads there."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import html5lib
import pytest
from flask import Flask
from sqlalchemy import select

from accounts import signing_in
from accounts.models import User
from bookings.invoice_terms import InvoiceTo
from bookings.models import Attendee, Booking
from courses.deposits import Deposit, Part
from courses.models import Workshop
from lib import clock, db
from newsletter.models import Placement
from payments import invoices
from policies import templates, versions
from recordings import notes
from recordings.models import AccessWindow
from tests.accounts.browsing import send
from tests.bookings.making import ANN, BOB, a_wish, held, paid
from tests.bookings.waiting_people import a_full_workshop, give_up, token_of, waits, work_off
from tests.builders import a_bundle, a_code, a_meeting, a_question, a_ticket, a_workshop, arranged
from tests.conftest import Person
from tests.organisers.conftest import DESK, signed_in
from tests.page import PageClient, words
from tests.recordings.showing import a_film, address, published
from tests.recordings.zoom_rows import a_zoom_recording

CONTROLS = ("input", "select", "textarea")
OWN = f"{DESK}/workshops/own"
# What is typed into each form for it to be refused; a new route without a line here or below fails.
TYPED: dict[str, tuple[str, dict[str, str]]] = {
    "accounts.ask_to_sign_in": ("/sign-in", {"email": "nowhere"}),
    "accounts.ask_for_password": ("/password", {"email": "nowhere"}),
    "accounts.set_password": ("/password/{password}", {"password": "short"}),
    "visitors.send_links": ("/links", {"email": "nowhere"}),
    "bookings.book": (
        "/workshops/own/bookings",
        {
            "ticket_type": "none",
            "currency": "XXX",
            "zone": "Atlantis",
            "booker_email": "nowhere",
            "attendee-0-name": "",
            "attendee-0-email": "twice@x.example",
            "attendee-0-ticket": "none",
            "attendee-1-name": "Bob",
            "attendee-1-email": "twice@x.example",
            "attendee-2-email": "no",
        },
    ),
    "organise.make_course": (f"{DESK}/courses", {}),
    "organise.change_course": (f"{DESK}/courses/{{course}}", {"title": ""}),
    "adding.add": ("/bookings/{reference}/places", {"ticket_type": "none", "attendee-0-email": "nowhere"}),
    "adding.quote": ("/bookings/{reference}/places/quote", {"ticket_type": "none", "attendee-0-email": "nowhere"}),
    "correcting.correct_booker": ("/bookings/{reference}/corrections", {"name": "", "email": "nowhere"}),
    "correcting.correct_attendee": ("/bookings/{reference}/attendees/0/correction", {"name": "", "email": "nowhere"}),
    "correcting.correct_own": ("{place}/correction", {"name": "", "email": "nowhere"}),
    "answering.save": ("{place}/answers", {"answer-size": "giant"}),
    "changes.cancel": ("/bookings/{reference}/cancellation", {}),
    "changes.substitute": ("/bookings/{reference}/attendees/0/substitution", {"name": "", "email": "nowhere"}),
    "changes.transfer": ("/bookings/{reference}/transfer", {"attendee": "0"}),
    "waiting.join": ("/workshops/own/waiting", {"email": "nowhere", "places": "many", "zone": "Atlantis"}),
    "waiting.wish": ("/waiting/{waiting}/wish", {"places": "many"}),
    "waiting.accept": ("/waiting/{offered}/acceptance", {"number": "3"}),
    "newsletter.ask": ("/newsletter", {"email": "nowhere"}),
    "bundle_bookings.book": (
        "/bundles/autumn-three/bookings",
        {
            "currency": "XXX",
            "zone": "Atlantis",
            "booker_email": "nowhere",
            "discount_code": "NEVER",
            "attendee-0-name": "",
            "attendee-0-email": "no",
        },
    ),
    "organise_bundles.make": (f"{DESK}/bundles", {"prices-0-currency": "XXX", "prices-0-amount": "much"}),
    "organise_bundles.change": (
        f"{DESK}/bundles/autumn-three",
        {"title": "", "sold_from": "never", "prices-0-currency": "GBP", "prices-0-amount": "0.01"},
    ),
    "organise_codes.make": (f"{DESK}/codes", {"percent": "101", "uses_total": "none"}),
    "organise_codes.change": (f"{DESK}/codes/{{code}}", {"percent": "many", "valid_from": "never"}),
    "organise_behalf.end": (
        f"{DESK}/bookings/{{reference}}/cancellation",
        {"attendee": "0", "way": "other", "back": "much", "credit": "some", "until": "soon"},
    ),
    "organise_behalf.pass_on": (f"{DESK}/bookings/{{reference}}/attendees/0/substitution", {"email": "nowhere"}),
    "organise_behalf.move": (f"{DESK}/bookings/{{reference}}/attendees/0/transfer", {}),
    "organise_invoices.save_settings": (
        f"{DESK}/invoices/settings",
        {"vat_mode": "included", "vat_number": "GB 1", "vat_percent": "lots", "invoice_days": "many"},
    ),
    "organise_invoices.receive": (f"{DESK}/invoices/{{invoice}}/payments", {"amount": "much", "day": "never"}),
    "organise_invoices.let_in": (f"{DESK}/invoices/{{invoice}}/places", {}),
    "organise_invoices.call_off": (f"{DESK}/invoices/{{invoice}}/cancellation", {}),
    "organise_plans.receive": (f"{DESK}/bookings/{{in_parts}}/instalments", {"amount": "much", "day": "never"}),
    "organise_policies.make": (
        f"{DESK}/policies/new/graded_30_14",
        {"name": "", "far": "many", "near": "-1", "charge_GBP": "much"},
    ),
    "organise_policies.preview_new": (f"{DESK}/policies/new/text/preview", {"name": "Ours", "text": "rules: ["}),
    "organise_policies.change": (f"{DESK}/policies/{{policy}}/text", {"text": "rules: [{action: cancel}, {}]"}),
    "organise_policies.preview": (f"{DESK}/policies/{{policy}}/graded_30_14/preview", {"part": "101"}),
    "organise_money.give_back": (f"{DESK}/bookings/{{reference}}/refunds", {"amount": "much"}),
    "organise_newsletter.make": (f"{DESK}/newsletter", {"percent": "101"}),
    "organise_newsletter.change": (f"{DESK}/newsletter/home", {"percent": "many"}),
    "organise_workshops.make": (f"{DESK}/workshops/", {"day": "never", "zone": "Atlantis"}),
    "organise_workshops.preview_new": (f"{DESK}/workshops/preview", {"day": "never", "zone": "Atlantis"}),
    "organise_workshops.change": (f"{OWN}/edit", {"cpd_minutes": "many", "reminders": "never"}),
    "organise_workshops.clone": (f"{OWN}/clone", {"days": "many"}),
    "organise_dates.preview": (f"{OWN}/schedule/preview", {"zone": "Atlantis", "sessions-0-day": "never"}),
    "organise_dates.save": (f"{OWN}/schedule", {"zone": "Atlantis", "sessions-0-day": "never"}),
    "organise_dates.move": (f"{OWN}/sessions/1/move", {"day": "never"}),
    "organise_dates.cancel_session": (f"{OWN}/sessions/2/cancel", {}),
    "organise_dates.cancel": (f"{OWN}/cancel", {}),
    "organise_meetings.save": (f"{OWN}/sessions/1/meeting", {"url": "nowhere"}),
    "organise_tickets.make": (f"{OWN}/tickets", {"seats": "no", "prices-0-currency": "GBP", "prices-0-amount": "much"}),
    "organise_tickets.change": (f"{OWN}/tickets/standard", {"name": ""}),
    "organise_tickets.make_pool": (f"{OWN}/pools", {"capacity": "many"}),
    "organise_tickets.change_pool": (f"{OWN}/pools/room", {"capacity": "many"}),
    "organise_tickets.make_question": (f"{OWN}/questions", {"kind": "song"}),
    "organise_tickets.change_question": (f"{OWN}/questions/profession", {"label": ""}),
    "organise_people.invite": (f"{DESK}/team", {"email": "nowhere", "role": "king"}),
    "organise_people.change_role": (f"{DESK}/team/{{member}}/role", {"role": "king"}),
    "organise_acts.correct": (f"{DESK}/bookings/{{reference}}/attendees/0/correction", {"email": "nowhere"}),
    "organise_acts.resend_place": (f"{DESK}/bookings/{{reference}}/attendees/0/letter", {}),
    "organise_acts.resend_receipt": (f"{DESK}/bookings/{{reference}}/receipt", {}),
    "organise_acts.give_place": (f"{OWN}/people", {"email": "nowhere", "ticket": "none"}),
    "organise_waiting.save_settings": (f"{OWN}/waiting/settings", {"waiting_hours": "many", "waiting_at_once": "0"}),
    "organise_papers.preview": (f"{DESK}/papers/terms/preview", {"text": " "}),
    "organise_papers.write": (f"{DESK}/papers/terms", {"text": ""}),
    "organise_settings.save": (f"{DESK}/settings/words", {"colour": "pink", "phone": "ring me", "email": "no"}),
    "organise_settings.upload_logo": (f"{DESK}/settings/logo", {}),
    "organise_stored.take": (f"{OWN}/recordings/1/stored", {"name": "../../secret"}),
    "organise_zoom.save": (f"{DESK}/zoom/account", {"client_id": "two words", "client_secret": "ü"}),
    "organise_zoom.place": (f"{DESK}/zoom/recordings/1/session", {"session": "none"}),
    "organise_handouts.add": (f"{OWN}/handouts", {"access": "until", "until": "never"}),
    "notes.write": ("{recording}/notes", {"at": "soon", "text": " "}),
    "notes.change": ("{recording}/notes/{note}", {"at": "0:0:0:1", "text": ""}),
    "organise_recordings.upload_film": (f"{OWN}/recordings/1/film", {}),
    "organise_review.cut": (
        f"{OWN}/recordings/1/review/cuts",
        {"trim_from": "soon", "trim_to": "0:99", "cuts": "0:10", "marks": "Welcome"},
    ),
    "organise_review.keep_for": (f"{DESK}/recordings/originals", {"days": "many"}),
    "organise_watching.change_all": (f"{OWN}/watching/everybody", {"act": "sing", "days": "many", "session": "none"}),
    "organise_watching.change_one": (f"{OWN}/watching/{{window}}", {"act": "extend", "days": "0"}),
    "organise_recordings.upload_captions": (f"{OWN}/recordings/1/captions", {"language": "xx"}),
}
# Asked for while somebody still types: an answer to look at, not a refusal.
LOOKED_AT = ("organise_workshops.preview_new", "organise_dates.preview")
# How sentences of WTForms begin; ours are in lib/forms.
NOT_OURS = ("Not a valid", "not valid choices", "Number must", "Field ", "This field", "Invalid ")
ONE_BUTTON = "a button alone: nothing is typed that could be wrong"
OPTIONAL = "what is typed is optional and any text will do"
NEVER_WRONG = {
    "accounts.accept_invitation": ONE_BUTTON,
    "accounts.spend_sign_in_link": ONE_BUTTON,
    "accounts.sign_out": ONE_BUTTON,
    "addresses.answer": ONE_BUTTON,
    "changes.withdraw": ONE_BUTTON,
    "booking_payments.payment": ONE_BUTTON,
    "plans.pay": ONE_BUTTON,
    "joining.go": ONE_BUTTON,
    "joining.send_again": ONE_BUTTON,
    "newsletter.confirmed": ONE_BUTTON,
    "newsletter.left": ONE_BUTTON,
    "organise_bundles.publish": ONE_BUTTON,
    "organise_bundles.withdraw": ONE_BUTTON,
    "organise_bundles.delete": ONE_BUTTON,
    "organise_codes.delete": ONE_BUTTON,
    "organise_policies.make_default": ONE_BUTTON,
    "organise_invoices.refund_sent": ONE_BUTTON,
    "organise_money.again": ONE_BUTTON,
    "organise_money.renew_link": ONE_BUTTON,
    "credits.end": ONE_BUTTON,
    "organise_proofs.check": ONE_BUTTON,
    "organise_settings.save_money": "two ticks: nothing is typed that could be wrong",
    "organise.delete_course": ONE_BUTTON,
    "organise_meetings.delete": ONE_BUTTON,
    "organise_people.remove": ONE_BUTTON,
    "organise_people.take_back": ONE_BUTTON,
    "notes.remove": ONE_BUTTON,
    "organise_handouts.remove": ONE_BUTTON,
    "organise_recordings.publish": OPTIONAL,
    "organise_uploads.create": "sent by a script, not by a form",
    "organise_uploads.instead": "sent by a script, not by a form",
    "organise_uploads.remove": ONE_BUTTON,
    "organise_recordings.withdraw": OPTIONAL,
    "organise_review.again": ONE_BUTTON,
    "organise_review.discard": ONE_BUTTON,
    "organise_review.done": ONE_BUTTON,
    "organise_review.order": "each part has a list of places: nothing is typed that could be wrong",
    "organise_settings.remove_logo": ONE_BUTTON,
    "organise_zoom.forget": ONE_BUTTON,
    "organise_zoom.leave": ONE_BUTTON,
    "organise_zoom.again": ONE_BUTTON,
    "organise_tickets.delete": ONE_BUTTON,
    "organise_tickets.delete_pool": ONE_BUTTON,
    "organise_tickets.delete_question": ONE_BUTTON,
    "organise_waiting.offer": ONE_BUTTON,
    "organise_waiting.remove": OPTIONAL,
    "organise_workshops.archive": ONE_BUTTON,
    "organise_workshops.delete": ONE_BUTTON,
    "organise_workshops.publish": ONE_BUTTON,
    "waiting.leave": ONE_BUTTON,
    "bundle_bookings.quote": "the same as the next",
    "bookings.quote": "a price is always told; what is still empty is no mistake yet, a refused code is tried below",
    "recordings.watched": "sent by a script, not by a form",
    "webhook.stripe_webhook": "sent by a machine, not by a form",
    "zoom.zoom_webhook": "sent by a machine, not by a form",
}


def untied(page: str) -> Iterator[str]:
    """What is wrong with how a refused form says what is wrong with it."""
    root = html5lib.parse(page, namespaceHTMLElements=False)
    ids = {name: each for each in root.iter() if (name := each.get("id"))}
    summary = ids.get("problems")
    if summary is None:
        yield "there is no list of errors"
        return
    if summary.get("role") != "alert" or summary.get("tabindex") != "-1":
        yield "the list of errors neither speaks nor takes the focus"
    links = [each.get("href", "")[1:] for each in summary.iter("a")]
    if len(links) != len(list(summary.iter("li"))):
        yield f"an error leads nowhere: {words(summary)}"
    for name in links:
        yield from _at(name, ids)
    for each in root.iter():
        if each.get("aria-invalid") == "true" and each.get("id") not in links:
            yield f"{each.get('id')} is wrong and not in the list"
        if each.tag == "p" and "error" in (each.get("class") or "").split() and each.get("hidden") is None:
            named = [other for other in root.iter() if each.get("id") in (other.get("aria-describedby") or "").split()]
            if len(named) != 1:
                yield f"the error {words(each)!r} belongs to {len(named)} fields"


def _at(name: str, ids: dict[str, Any]) -> Iterator[str]:
    control = ids.get(name)
    if control is None:
        yield f"the list leads to {name!r}, which is not there"
        return
    if control.tag == "input" and control.get("type") == "hidden":
        yield f"the list leads to {name!r}, which nobody sees"
    # A group of choices cannot be invalid in ARIA; it is described, and takes the focus that the link gives it.
    if control.tag in CONTROLS and control.get("aria-invalid") != "true":
        yield f"{name} is in the list and not called invalid"
    if control.tag not in (*CONTROLS, "fieldset"):
        yield f"{name} is a {control.tag}, no field"
    described = [ids[each] for each in (control.get("aria-describedby") or "").split() if each in ids]
    if not any("error" in (each.get("class") or "").split() and words(each) for each in described):
        yield f"{name} does not say what is wrong with it"


@pytest.fixture
def places(app: Flask, client: PageClient, olu: Person) -> dict[str, str]:
    """What the addresses of the table name, for an owner who is signed in."""
    signed_in(app, client, olu)
    with arranged(app):
        member = db.session.scalars(select(User.id)).one()
        workshop = a_workshop(
            slug="own", sessions=[a_meeting(in_days=20), a_meeting(in_days=27)], catch_up_offered=True
        )
        a_question(workshop)
        a_question(workshop, code="size", kind="choice", choices=["small", "large"], is_required=True)
        a_ticket(workshop, code="organisation", payment="invoice")
        parts = Deposit(8400, (Part(workshop.starts_at.date(), 8400),)).terms()
        a_ticket(workshop, code="parts", payment="deposit", terms=parts)
        folded, organiser_id = a_code(code="ONCE").folded, workshop.organiser_id
        db.session.add(Placement(organiser_id=workshop.organiser_id, name="home", percent=20, lasts_days=90))
        course = workshop.course.slug
        password = signing_in.make(olu.email, "password", clock.now()).token
    film = a_film(app, "own")
    with arranged(app):
        later = a_workshop(in_days=90)  # where a place could move to
        a_zoom_recording(organiser_id)
        a_workshop(slug="yesterday", in_days=-1)
        a_bundle(db.session.scalars(select(Workshop).where(Workshop.slug == "own")).one(), later)
        policy = templates.by_key("graded_30_14").data("Europe/London", "GBP")
        kept = versions.write(organiser_id, "Ours", policy, actor="user:1", now=clock.now()).id
    made = paid(app, a_wish("own", people=[ANN, BOB]))
    published(app, film)
    client.get(made.url)  # opens the booking for this browser
    with arranged(app):
        ann = db.session.scalars(select(Attendee).where(Attendee.n == 0)).one()
        window = db.session.scalars(select(AccessWindow.id).order_by(AccessWindow.id)).first()
        note = notes.write(ann.organiser_id, ann.id, film.id, 90, "Matched, not slow.", clock.now()).id
    to = InvoiceTo("A Trust", "1 Road", "accounts@trust.example")
    invoiced = held(app, replace(a_wish("own", people=[ANN], ticket="organisation"), invoice_to=to))
    with app.app_context():
        invoice = invoices.invoice_of(db.session.get_one(Booking, invoiced.id).bill_id)
    full, holders = a_full_workshop(app, capacity=2)
    offered, waiting = waits(app, full, "first", wanted=2), waits(app, full, "second")
    for each in holders:
        give_up(app, each)
    work_off(app)
    return {
        "offered": token_of(app, offered),
        "waiting": token_of(app, waiting),
        "policy": str(kept),
        "code": folded,
        "invoice": invoice.name if invoice else "",
        "in_parts": paid(app, a_wish("own", people=[ANN], ticket="parts")).reference,
        "member": str(member),
        "course": course,
        "password": password,
        "reference": made.reference,
        "place": urlsplit(made.places[0]).path,
        "recording": address(app, made, film),
        "window": str(window),
        "note": str(note),
    }


def test_what_is_wrong_is_said_at_the_field_and_at_the_top(
    client: PageClient, places: dict[str, str], subtests: pytest.Subtests
) -> None:
    """One house for all of them: what is refused changes nothing in it."""
    for endpoint, (path, typed) in TYPED.items():
        with subtests.test(endpoint):
            answer = send(client, "/links", path.format(**places), **typed)

            assert answer.status_code == (200 if endpoint in LOOKED_AT else 422)
            page = answer.get_data(as_text=True)
            assert list(untied(page)) == []
            assert [each for each in NOT_OURS if each in page] == []


def test_a_refused_code_is_said_at_the_field_of_a_quote(client: PageClient, places: dict[str, str]) -> None:
    answer = send(client, "/links", "/workshops/own/quote", ticket_type="standard", discount_code="NEVER")
    root = html5lib.parse(answer.get_data(as_text=True), namespaceHTMLElements=False)
    (control,) = [each for each in root.iter("input") if each.get("name") == "discount_code"]

    assert control.get("aria-invalid") == "true"
    assert control.get("aria-describedby") == "discount_code-error"


GOOD = """<!doctype html><main>
<div id="problems" role="alert" tabindex="-1"><ul><li><a href="#name">No.</a></li></ul></div>
<input id="name" aria-invalid="true" aria-describedby="name-error"><p class="error" id="name-error">No.</p></main>"""


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ('id="problems"', 'id="else"', "no list of errors"),
        (' role="alert"', "", "neither speaks"),
        (' tabindex="-1"', "", "neither speaks"),
        ('<a href="#name">No.</a>', "No.", "leads nowhere"),
        ('href="#name"', 'href="#other"', "not there"),
        ('<input id="name"', '<input type="hidden" id="name"', "nobody sees"),
        (' aria-invalid="true"', "", "not called invalid"),
        (' aria-describedby="name-error"', "", "does not say"),
        (' aria-describedby="name-error"', "", "belongs to 0 fields"),
        ("</main>", '<input id="more" aria-invalid="true"></main>', "not in the list"),
        ("<input id", "<div id", "no field"),
    ],
)
def test_a_loose_error_is_seen(part: str, instead: str, said: str) -> None:
    assert list(untied(GOOD)) == []
    assert part in GOOD
    found = list(untied(GOOD.replace(part, instead, 1)))

    assert any(said in each for each in found), found


def test_every_form_is_in_one_of_the_tables(app: Flask) -> None:
    posts = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}

    assert sorted(posts - {*TYPED, *NEVER_WRONG}) == []
    assert sorted({*TYPED, *NEVER_WRONG} - posts) == []
    assert not {*TYPED} & {*NEVER_WRONG}
