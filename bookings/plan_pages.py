"""What pages show of a booking that is paid in parts: each part with its day and where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from bookings.models import Attendee, Booking
from lib import db, zones
from payments.models import Bill, Instalment, Payment


@dataclass(frozen=True)
class Part:
    """A part of the price: `state` is coming, open, paid or dropped. `days_late` counts from the day after its own."""

    id: int | None
    due_on: date
    minor: int
    state: str
    days_late: int = 0


@dataclass(frozen=True)
class PlanView:
    """A booking's parts by their days; `coming_minor` is what a bank has been asked for."""

    parts: Sequence[Part]
    coming_minor: int
    city: str

    @property
    def open(self) -> list[Part]:
        return [each for each in self.parts if each.state == "open"]

    @property
    def open_minor(self) -> int:
        return sum(each.minor for each in self.open)

    @property
    def late(self) -> list[Part]:
        return [each for each in self.open if each.days_late > 0]

    @property
    def later_minor(self) -> int:
        """What is paid after the first payment, of a booking whose first payment has not come."""
        return sum(each.minor for each in self.parts if each.state == "coming")


@dataclass(frozen=True)
class OpenPlan:
    """A confirmed booking with parts that are still to be paid."""

    booking: Booking
    plan: PlanView

    @property
    def late_minor(self) -> int:
        return sum(each.minor for each in self.plan.late)

    @property
    def days_late(self) -> int:
        return max((each.days_late for each in self.plan.late), default=0)


def view(booking: Booking, now: datetime) -> PlanView | None:
    """The booking's parts at `now`; None where it is paid at once."""
    later = booking.quote.get("later", ())
    if not later:
        return None
    parts: list[Part] = []
    if booking.confirmed_at is None:
        parts = [
            Part(None, date.fromisoformat(each["due_on"]), sum(each["shares"].values()), "coming") for each in later
        ]
    return _view(booking, parts or _parts(booking, now), _coming([booking.bill_id]).get(booking.bill_id, 0))


def open_plans(organiser_id: int, now: datetime) -> list[OpenPlan]:
    """The organiser's confirmed bookings with parts still to be paid, the latest first, then by day; a fixed number of
    statements."""
    has_open = select(Instalment.bill_id).where(Instalment.organiser_id == organiser_id, Instalment.state == "open")
    found = db.session.scalars(
        select(Booking)
        .where(Booking.organiser_id == organiser_id, Booking.state == "confirmed", Booking.bill_id.in_(has_open))
        .order_by(Booking.id)
        .options(
            joinedload(Booking.organiser),
            joinedload(Booking.bill).selectinload(Bill.instalments),
            selectinload(Booking.attendees).joinedload(Attendee.workshop),
        )
    ).all()
    coming = _coming([each.bill_id for each in found])
    plans = [OpenPlan(each, _view(each, _parts(each, now), coming.get(each.bill_id, 0))) for each in found]
    return sorted(plans, key=lambda each: (-each.days_late, each.plan.open[0].due_on, each.booking.id))


def _view(booking: Booking, parts: Sequence[Part], coming: int) -> PlanView:
    return PlanView(parts, coming, zones.city(booking.organiser.zone))


def _parts(booking: Booking, now: datetime) -> list[Part]:
    today = zones.wall(now, booking.organiser.zone).date()
    return [
        Part(
            each.id,
            each.due_on,
            each.minor,
            each.state,
            max((today - each.due_on).days, 0) if each.state == "open" else 0,
        )
        for each in booking.bill.instalments
    ]


def _coming(bill_ids: Sequence[int]) -> dict[int, int]:
    rows = db.session.execute(
        select(Payment.bill_id, func.sum(Payment.amount_minor))
        .where(Payment.bill_id.in_(bill_ids), Payment.state == "pending")
        .group_by(Payment.bill_id)
    )
    return {bill_id: int(minor) for bill_id, minor in rows}
