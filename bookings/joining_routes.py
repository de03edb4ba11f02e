"""The way into the room: a page that counts down, a button that lets in, and help when neither works."""

from flask import Blueprint, Response, abort, current_app, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import joining, letters, pages
from bookings.models import Attendee
from lib import clock, db, limits, links, web
from meetings import points

bp = Blueprint("joining", __name__)
LOOPBACK = ("http://localhost:*", "http://127.0.0.1:*")


@bp.get("/join/<token>")
@open_to.holder_of_link
def door(token: str) -> Answer:
    attendee = _holder(token)
    return _page(token, attendee, joining.room_of(attendee, clock.now()))


@bp.post("/join/<token>")
@open_to.holder_of_link
def go(token: str) -> Answer:
    _holder(token)
    now = clock.now()
    with db.writing():
        attendee = _holder(token)
        room = joining.room_of(attendee, now)
        point = points.of_session(room.session.id) if room.state == "open" and room.session else None
        address = point.url if point else None
        if room.session and address:
            joining.note(attendee, room.session, now)
        elif room.session and room.state == "open":
            joining.ask_organiser(room.session, now)
    if address:
        return _on_to(address)
    attendee = _holder(token)
    return _page(token, attendee, joining.room_of(attendee, now), is_refused=True)


@bp.post("/join/<token>/letters")
@open_to.holder_of_link
@limits.limiter.limit("3 per 15 minutes", key_func=limits.by_path)
def send_again(token: str) -> Answer:
    _holder(token)
    now = clock.now()
    with db.writing():
        attendee = _holder(token)
        letters.join_link(attendee, joining.room_of(attendee, now).session, now)
    return _on_to(url_for(".door", token=token, sent=1))


def _holder(token: str) -> Attendee:
    """The attendee whose link this is; for anybody else, and once the place is gone, there is no such page."""
    attendee_id = links.row_of(token)
    attendee = pages.attendee_by_id(attendee_id) if attendee_id else None
    if attendee is None or not links.verify_token("join", attendee.link_version, token):
        abort(404)
    if not attendee.ticket.includes_live or not joining.comes(attendee):
        abort(404)
    return attendee


def _on_to(address: str) -> Answer:
    return web.private(Response(status=303, headers={"Location": address}))


def _page(token: str, attendee: Attendee, room: joining.Room, *, is_refused: bool = False) -> Answer:
    zone = attendee.booking.zone
    refusal = joining.refusal(room, zone) if is_refused else None
    if refusal and web.wants_json():
        return web.private(web.refusal_json(refusal.refusal, refusal.message, refusal.status))
    point = points.of_session(room.session.id) if room.session else None
    is_open = room.state == "open"
    answer = Response(
        render_template(
            "bookings/join.html",
            token=token,
            attendee=attendee,
            workshop=attendee.workshop,
            organiser=attendee.booking.organiser,
            room=room,
            zone=zone,
            refusal=refusal,
            has_point=point is not None,
            # What lets people in by telephone is a way in like the link: only while the room is open.
            numbers=point.phone_numbers.splitlines() if point and is_open else [],
            passcode=point.passcode if point and is_open else "",
            has_numbers=bool(point and point.phone_numbers),
            asked_at=joining.asked_at(room.session.id) if room.session and is_open and point is None else None,
            place_url=letters.place_url(attendee),
            is_sent=request.args.get("sent") == "1",
        ),
        status=refusal.status if refusal else 200,
    )
    # The button leads on to a meeting elsewhere, and browsers hold a form's target to this through redirects. Any
    # https address may be one: naming it would tell where the meeting is before the room opens.
    is_demo = current_app.config["COLLOQUY_DEMO"] == "1"
    web.forms_lead_to(answer, "https:", *(LOOPBACK if is_demo else ()))
    return web.private(answer)
