"""The attendee's own page, its JSON and its calendar files. It gathers from rooms that do not know one another."""

from flask import Blueprint, Response, abort, jsonify, render_template
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import invites, pages
from lib import clock, links, web
from recordings import access, handouts, notes

bp = Blueprint("places", __name__)


@bp.get("/places/<token>")
@open_to.holder_of_link
def place(token: str) -> Answer:
    now = clock.now()
    view = _place(token)
    shown = access.of_attendee(view.attendee, now)
    page = render_template(
        "bookings/place.html",
        view=view,
        token=token,
        now=now,
        google_link=pages.google_link,
        recordings=shown,
        handouts=handouts.given(view.attendee, shown, now),
        notes=notes.by_session(view.attendee.id),
    )
    return web.private(Response(page))


@bp.get("/places/<token>.json")
@open_to.holder_of_link
def place_json(token: str) -> Answer:
    view = _place(token)
    told = [each.told() for each in access.of_attendee(view.attendee, clock.now())]
    return web.private(jsonify({**pages.place_json(view, token), "recordings": told}))


@bp.get("/places/<token>/invites/<int:number>.ics")
@open_to.holder_of_link
def invite(token: str, number: int) -> Answer:
    view = _place(token)
    wanted = next((each for each in view.sessions if each.number == number), None)
    if wanted is None or not view.has_invites:
        abort(404)
    answer = Response(invites.download(view.attendee, wanted), content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{view.workshop.slug}-{number}.ics"'
    return web.private(answer)


def _place(token: str) -> pages.PlaceView:
    attendee_id = links.row_of(token)
    attendee = pages.attendee_by_id(attendee_id) if attendee_id else None
    if attendee is None or not links.verify_token("place", attendee.link_version, token):
        abort(404)
    return pages.place_view(attendee, clock.now())
