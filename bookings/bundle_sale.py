"""A bundle booked: all of its workshops kept still, then booked like one workshop, all of it or nothing."""

from datetime import datetime

from sqlalchemy import select

from bookings import checkout, closed
from bookings.choosing import Wish
from bookings.models import Booking
from courses import bundles, schedule
from courses.bundles_models import Bundle
from courses.models import TicketType, Workshop, bundle_ticket


def start(wish: Wish, now: datetime) -> Booking:
    """Book the bundle whose slug the wish names, in the caller's transaction.

    Raises the Refusal that names what stands against it: one full workshop is enough.
    """
    inside = (
        select(TicketType.workshop_id)
        .join(bundle_ticket, bundle_ticket.c.ticket_type_id == TicketType.id)
        .join(Bundle, Bundle.id == bundle_ticket.c.bundle_id)
        .where(Bundle.slug == wish.slug)
    )
    schedule.hold_still(Workshop.id.in_(inside))
    listing = bundles.by_slug(wish.slug, now)
    if listing is None:
        raise closed.SaleEnded("This bundle was taken off sale meanwhile. Nothing has been charged.")
    return checkout.begin(wish, listing, now)
