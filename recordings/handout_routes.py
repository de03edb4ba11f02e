"""The way to a handout: through the same door as the film, as a file to save."""

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings.letters import place_url
from lib import clock, db, web
from recordings import access, handouts, media
from recordings.handout_kinds import KINDS
from recordings.routes import keep_private

bp = Blueprint("handouts", __name__)


@bp.after_request
def keep(answer: Response) -> Response:
    return keep_private(answer)


class HandoutClosed(web.Refusal):
    """A handout that cannot be had now: its recording does not play."""

    status = 403
    refusal = "window_closed"
    title = "This handout is not open"


@bp.get("/handouts/<token>")
@open_to.holder_of_link
def download(token: str) -> Answer:
    now = clock.now()
    found = handouts.find(token)
    if found is None:
        abort(404)
    attendee, handout = found
    is_open, until = handouts.opened(handout, access.of_attendee(attendee, now), now)
    if not is_open:
        raise HandoutClosed(
            f"It can be downloaded while the recording can be watched. Questions go to "
            f"{attendee.booking.organiser.email}.",
            next_url=place_url(attendee),
            next_text="Open my place",
        )
    key, kind, filename = handout.key, KINDS[handout.kind], f"{handout.name}.{handout.kind}"
    db.session.rollback()  # nothing of the database is held while the bytes leave
    answer = media.answer(
        key, kind.content_type, request.method, dict(request.headers), filename=filename, until=until, now=now
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
