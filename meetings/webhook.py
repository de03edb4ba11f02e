"""Zoom's doorbell, one address an organiser: check who rings, keep what is told once, answer in three seconds."""

import structlog
from flask import Blueprint, Response, abort, jsonify, request
from sqlalchemy import select

from accounts import open_to
from accounts.models import Organiser
from lib import clock, db, sealing
from meetings import zoom_accounts, zoom_inbox

bp = Blueprint("zoom", __name__)
log = structlog.get_logger()


@bp.post("/zoom/webhook/<organiser>")
@open_to.sender_of_signature
def zoom_webhook(organiser: str) -> Response:
    """200 when the event is kept, known or not ours; 400 for a wrong signature or a body that is no event; 404 where no
    app of Zoom's is set; 503 when Zoom should ring again (it does three times, after 5, 30 and 90 minutes).
    """
    body = request.get_data()
    organiser_id = db.session.scalar(select(Organiser.id).where(Organiser.slug == organiser))
    account = zoom_accounts.of_organiser(organiser_id) if organiser_id else None
    if account is None or organiser_id is None:
        abort(404)
    try:
        secret = zoom_accounts.webhook_secret(account)
        signature = request.headers.get("x-zm-signature", "")
        timestamp = request.headers.get("x-zm-request-timestamp", "")
        zoom_inbox.verify(body, timestamp, signature, secret, clock.machine_now())
        event = zoom_inbox.read(body)
        answer = zoom_inbox.validated(event, secret) if event.kind == zoom_inbox.VALIDATION else {}
        with db.writing():
            now = clock.now()
            zoom_accounts.heard(organiser_id, now)
            if event.kind in zoom_inbox.HEARD:
                zoom_inbox.remember(organiser_id, event, now)
    except sealing.SealBroken:
        log.error("the secret of an organiser's app at Zoom cannot be opened: it has to be typed again")
        abort(503)
    except (zoom_inbox.NotFromZoom, zoom_inbox.Unreadable) as problem:
        log.warning("webhook of Zoom refused", error=str(problem))
        abort(400)
    return jsonify(answer)
