"""Joining a workshop's waiting list, and the page of somebody on it. A GET changes nothing: scanners open links."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import choosing, closed, waiting, waiting_forms, waiting_letters, waiting_list, waiting_pages
from bookings.models import WaitingPerson
from bookings.waiting_forms import AcceptForm, WaitingForm, WishForm
from courses import catalogue
from courses.routes import one
from lib import clock, db, limits, visitor, web

bp = Blueprint("waiting", __name__)


class PlacesAreFree(web.Refusal):
    status = 409
    refusal = "places_are_free"
    title = "There is no need to wait"


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
    offer = choosing.offer_of(listing, form.ticket_type.data) or abort(404)
    wanted = form.places.data or 1
    if sentence := waiting_pages.refused(offer, wanted):
        form.places.errors = [sentence]
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
    choices = waiting_pages.choices(person)
    number = choices[-1]
    if len(choices) > 1:
        form = waiting_forms.accepting(choices, request.form)
        if not form.validate():
            return _page(person, token, accepting=form, status=422)
        number = form.number.data
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
    form = waiting_forms.wish(listing.workshop.most_attendees, request.form)
    if not form.validate():
        return _page(person, token, wishing=form, status=422)
    wanted = form.places.data or 1
    offer = choosing.offer_of(listing, person.ticket.code)
    if offer is not None and (sentence := waiting_pages.refused(offer, wanted)):
        form.places.errors = [sentence]
        return _page(person, token, wishing=form, status=422)
    number_id, workshop_id, now = person.id, person.workshop_id, clock.now()
    with db.writing():
        waiting.wish(number_id, workshop_id, wanted, bool(form.takes_fewer.data), now)
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


def _page(
    person: WaitingPerson,
    token: str,
    *,
    wishing: WishForm | None = None,
    accepting: AcceptForm | None = None,
    status: int = 200,
) -> Answer:
    view = waiting_pages.view(person, waiting_list.positions([person]), clock.now())
    most = person.workshop.most_attendees
    page = render_template(
        "bookings/waiting.html",
        view=view,
        person=person,
        workshop=person.workshop,
        token=token,
        wishing=wishing or waiting_forms.wish(most, places=person.wanted, takes_fewer=person.takes_fewer),
        accepting=accepting or waiting_forms.accepting(waiting_pages.choices(person)),
    )
    return web.private(Response(page, 410 if view.state in waiting_pages.ENDED else status))


def _form(listing: catalogue.Listing) -> WaitingForm:
    """The form for what can be waited for. Raises the refusal that says why there is nothing."""
    offers = [each for each in listing.offers if each.on_sale or each.is_full]
    if not offers:
        closed.refuse_unless_bookable(listing)
    typed = request.form if request.method == "POST" else None
    zone = visitor.zone() or listing.workshop.zone
    return waiting_forms.joining(offers, listing.workshop.most_attendees, typed, zone)


def _form_page(listing: catalogue.Listing, form: WaitingForm) -> str:
    return render_template("bookings/waiting_new.html", listing=listing, workshop=listing.workshop, form=form)
