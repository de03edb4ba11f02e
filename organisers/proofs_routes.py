"""What people gave for tickets that ask for it, checked by the team, and what was added to whose place."""

from flask import Blueprint, abort, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Organiser
from bookings.choosing import DECLARED
from bookings.models import Attendee, AttendeeExtra, Booking
from courses.models import TicketType
from lib import clock, db
from organisers import rows
from organisers.routes import MANAGERS, Page, note

bp = Blueprint("organise_proofs", __name__, url_prefix="/organise/<organiser>/workshops/<slug>/proofs")


@bp.get("")
@open_to.team(*MANAGERS)
def shown(organiser: Organiser, slug: str) -> Page:
    found = rows.workshop(organiser, slug)
    coming = db.session.scalars(
        select(Attendee)
        .join(Attendee.ticket)
        .where(Attendee.workshop_id == found.id, Attendee.state == "confirmed")
        .order_by(TicketType.position, Attendee.name, Attendee.id)
        .options(
            contains_eager(Attendee.ticket),
            joinedload(Attendee.booking).load_only(Booking.reference),
            selectinload(Attendee.extras).joinedload(AttendeeExtra.ticket),
        )
    ).all()
    return render_template(
        "organisers/proofs.html",
        organiser=organiser,
        workshop=found,
        asked=[each for each in coming if each.proof],
        adding=[each for each in coming if each.extras],
        declared=DECLARED,
    )


@bp.post("/<int:attendee_id>")
@open_to.team(*MANAGERS)
def check(organiser: Organiser, slug: str, attendee_id: int) -> Response:
    """Remember that the team has looked at it, or that it has to look again."""
    found = rows.workshop(organiser, slug)
    with db.writing():
        attendee = db.session.scalars(
            select(Attendee).where(
                Attendee.id == attendee_id,
                Attendee.organiser_id == organiser.id,
                Attendee.workshop_id == found.id,
                Attendee.proof != "",
            )
        ).one_or_none() or abort(404)
        attendee.proof_checked_at = None if attendee.proof_checked_at else clock.now()
        verb = "proof_checked" if attendee.proof_checked_at else "proof_unchecked"
        note(organiser, f"booking:{attendee.booking_id}", verb, {"n": attendee.n})
    return redirect(url_for(".shown", organiser=organiser.slug, slug=slug), code=303)
