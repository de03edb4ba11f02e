"""Pages for the public and for one person: home, texts of the house, everything of a verified address."""

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as Answer

from accounts import open_to, team
from bookings import (
    booked,
    credit_pages,
    letters,
    pages,
    terms,
    waiting_letters,
    waiting_list,
    waiting_pages,
)
from courses import catalogue, shelf, standing
from lib import clock, db, forms, limits, paths, visitor, web, work, zones
from newsletter import subscribing
from recordings import access
from visitors.jobs import SEND_LINKS

bp = Blueprint("visitors", __name__)
ON_THE_HOME_PAGE, RECORDINGS_THERE = 6, 4


@bp.get("/")
@open_to.anyone
def home() -> str:
    now = clock.now()

    def picked(kept: shelf.Shelf) -> list[shelf.WorkshopFacts]:
        return catalogue.upcoming(kept, now)[:ON_THE_HOME_PAGE] + catalogue.recorded(kept, now)

    found = shelf.read(now, picked)
    listings = [standing.of(found, each, now) for each in picked(found)]
    return render_template(
        "visitors/home.html",
        listings=[each for each in listings if each.state != "past"],
        watchable=[each for each in listings if each.state == "past" and each.can_be_watched][:RECORDINGS_THERE],
        newsletter=subscribing.placement("", "home"),
        page=web.url("visitors.home"),
    )


@bp.get("/zone")
@open_to.anyone
def zone() -> Answer | tuple[str, int]:
    chosen = request.args.get("zone", "")
    leads_to = paths.safe_path(request.args.get("next"), url_for("courses.listed"))
    if not zones.is_zone(chosen):
        return render_template("visitors/zone.html", next=leads_to), 422
    answer = current_app.make_response(redirect(leads_to))
    visitor.remember(answer, chosen)
    return answer


@bp.get("/me")
@open_to.signed_in
def me() -> Answer:
    now = clock.now()
    attendees, bookings = pages.links_of(current_user.email, now)
    views = pages.place_views(attendees, now)
    watchable = access.of_attendees(attendees, now)
    waiting = waiting_list.of_address(current_user.email, now)
    positions = waiting_list.positions(waiting)
    page = render_template(
        "visitors/me.html",
        places=[(each, letters.place_url(each.attendee)) for each in views],
        next_room=pages.next_room(views, now),
        recordings=[(view, each) for view in views for each in watchable[view.attendee.id] if each.state == "open"],
        waiting=[(waiting_pages.view(each, positions, now), waiting_letters.url(each)) for each in waiting],
        bookings=[
            (each, pages.state_of(each, now), letters.booking_url(each), booked.title(each)) for each in bookings
        ],
        credits=credit_pages.of_person(current_user.email),
        desks=team.organisers_of(current_user.id),
        email=current_user.email,
        now=now,
    )
    return web.private(Response(page))


@bp.get("/links")
@open_to.anyone
def links() -> str:
    return render_template("visitors/links.html", is_sent=request.args.get("sent") == "1", error=None, typed="")


@bp.post("/links")
@open_to.anyone
@limits.limiter.limit("5 per 15 minutes", key_func=limits.by_field("email"))
def send_links() -> Answer | tuple[str, int]:
    typed = forms.one_line(request.form.get("email"))
    try:
        email = forms.email(typed)
    except ValueError as problem:
        return render_template("visitors/links.html", is_sent=False, error=str(problem), typed=typed), 422
    # The worker looks the address up: the answer and its time are the same for everybody.
    with db.writing():
        work.post(SEND_LINKS, "address", clock.now(), {"email": email})
    return redirect(url_for(".links", sent=1), code=303)


@bp.get("/terms")
@open_to.anyone
def terms_page() -> str:
    return render_template("visitors/terms.html", version=terms.CURRENT)


@bp.get("/privacy")
@open_to.anyone
def privacy() -> str:
    return render_template("visitors/privacy.html", version=terms.CURRENT)


@bp.get("/accessibility")
@open_to.anyone
def accessibility() -> str:
    return render_template("visitors/accessibility.html")
