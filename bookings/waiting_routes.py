"""Joining a workshop's waiting list, and the page of somebody on it. A GET changes nothing: scanners open links."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as Answer
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from accounts import open_to
from bookings import checkout, choosing, waiting, waiting_letters, waiting_list, waiting_pages
from bookings.forms import LONGEST_NAME
from bookings.models import WaitingPerson
from courses import catalogue
from courses.routes import one
from lib import clock, db, limits, visitor, web
from lib.forms import Email, KnownZone, one_line

bp = Blueprint("waiting", __name__)


class PlacesAreFree(web.Refusal):
    status = 409
    refusal = "places_are_free"
    title = "There is no need to wait"


class WaitingForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Who would like to come, and how many of them."""

    name = StringField("Your name", [DataRequired("Please give your name."), Length(max=LONGEST_NAME)], [one_line])
    email = StringField("Your email address", [Email()])
    ticket_type = SelectField("Which ticket?", validators=[InputRequired("Please choose a ticket.")])
    places = IntegerField(
        "How many places?", [InputRequired("Please say how many places."), NumberRange(1, 1)], default=1
    )
    zone = StringField("Write times in our letters for", [KnownZone()], [one_line])


@bp.get("/workshops/<slug>/waiting")
@open_to.anyone
def new(slug: str) -> str:
    listing = one(slug)
    return _form_page(listing, _form(listing))


@bp.post("/workshops/<slug>/waiting")
@open_to.anyone
@limits.limiter.limit("10 per hour", key_func=limits.by_field("email"))
def join(slug: str) -> Answer | tuple[str, int]:
    listing = one(slug)
    form = _form(listing)
    if not form.validate():
        return _form_page(listing, form), 422
    offer = choosing.offer_of(listing, form.ticket_type.data)
    wanted = form.places.data or 1
    if offer is None or (sentence := waiting_pages.refused(offer, wanted)):
        form.places.errors = [sentence if offer else "There is no such ticket."]
        return _form_page(listing, form), 422
    if offer.on_sale and (offer.left is None or offer.left >= wanted):
        raise PlacesAreFree(
            f"{waiting_letters.places(offer.left or wanted).capitalize()} can be booked now.",
            next_url=url_for("bookings.new", slug=slug),
            next_text="Book now",
        )
    asked = waiting.Asked(
        workshop_id=listing.workshop.id,
        organiser_id=listing.workshop.organiser.id,
        ticket_id=offer.ticket.id,
        name=form["name"].data,
        email=form.email.data or "",
        zone=form.zone.data or "",
        wanted=wanted,
        takes_fewer=not offer.on_sale,  # who would take what is left could have booked it
    )
    now = clock.now()
    with db.writing():
        waiting.join(asked, now)
    return redirect(url_for(".asked", slug=slug), code=303)


@bp.get("/workshops/<slug>/waiting/asked")
@open_to.anyone
def asked(slug: str) -> str:
    """The same for everybody: it tells nobody whether an address was on the list before."""
    listing = one(slug)
    return render_template("bookings/waiting_asked.html", workshop=listing.workshop)


@bp.get("/waiting/left")
@open_to.anyone
def left() -> str:
    return render_template("bookings/waiting_left.html")


@bp.get("/waiting/<token>")
@open_to.holder_of_link
def shown(token: str) -> Answer:
    return _page(_person(token), token)


@bp.post("/waiting/<token>/acceptance")
@open_to.holder_of_link
def accept(token: str) -> Answer:
    person = _person(token)
    now = clock.now()
    # What is held for an offer, or what was asked for where the first to answer has it.
    most = waiting_list.number_held(person) or person.wanted
    number = min(max(request.form.get("places", most, int), 1), most)
    number_id, workshop_id, slug = person.id, person.workshop_id, person.workshop.slug
    with db.writing():
        waiting.accept(number_id, workshop_id, number, now)
    return redirect(url_for("bookings.new", slug=slug, waiting=token), code=303)


@bp.post("/waiting/<token>/wish")
@open_to.holder_of_link
def wish(token: str) -> Answer:
    """Ask for fewer places, or for more, without losing the place in the list."""
    person = _person(token)
    listing = one(person.workshop.slug)
    offer = choosing.offer_of(listing, person.ticket.code)
    wanted = request.form.get("places", 0, int)
    if not 1 <= wanted <= listing.workshop.most_attendees:
        return _page(person, token, f"Please ask for between 1 and {listing.workshop.most_attendees}.", 422)
    if offer is not None and (sentence := waiting_pages.refused(offer, wanted)):
        return _page(person, token, sentence, 422)
    number_id, workshop_id, now = person.id, person.workshop_id, clock.now()
    with db.writing():
        waiting.wish(number_id, workshop_id, wanted, "takes_fewer" in request.form, now)
    return redirect(url_for(".shown", token=token), code=303)


@bp.post("/waiting/<token>/leaving")
@open_to.holder_of_link
def leave(token: str) -> Answer:
    person = _person(token)
    number_id, workshop_id, now = person.id, person.workshop_id, clock.now()
    with db.writing():
        waiting.leave(number_id, workshop_id, now)
    return redirect(url_for(".left"), code=303)


def _person(token: str) -> WaitingPerson:
    return waiting_list.by_token(token) or abort(404)


def _page(person: WaitingPerson, token: str, error: str = "", status: int = 200) -> Answer:
    now = clock.now()
    view = waiting_pages.view(person, waiting_list.position(person), now)
    is_over = view.state in waiting_pages.ENDED
    page = render_template(
        "bookings/waiting.html", view=view, person=person, workshop=person.workshop, token=token, error=error
    )
    return web.private(Response(page, 410 if is_over else status))


def _form(listing: catalogue.Listing) -> WaitingForm:
    """The form for what can be waited for. Raises the refusal that says why there is nothing."""
    form = WaitingForm()
    choices = [each for each in listing.offers if each.on_sale or each.is_full]
    if not choices:
        checkout.refuse_unless_bookable(listing)
    form.ticket_type.choices = [(each.ticket.code, each.ticket.name) for each in choices]
    most = listing.workshop.most_attendees
    form.places.validators = [
        InputRequired("Please say how many places."),
        NumberRange(1, most, f"Please ask for between 1 and {most}."),
    ]
    if not form.is_submitted():
        form.zone.data = visitor.zone() or listing.workshop.zone
        form.ticket_type.data = next((each.ticket.code for each in choices if each.is_full), choices[0].ticket.code)
    return form


def _form_page(listing: catalogue.Listing, form: WaitingForm) -> str:
    return render_template("bookings/waiting_new.html", listing=listing, workshop=listing.workshop, form=form)
