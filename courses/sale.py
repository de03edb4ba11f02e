"""When a ticket is sold: from which instant, up to which, and why it is not. Pure, from the shelf's facts.

A workshop is sold live until its first session starts, or until the live tickets' own ends of sale if all of those are
earlier. From then on its catch-up tickets are sold: the recording without the hours themselves. They have no end but
their own, since whoever buys late has as many days as everybody else, except that nothing is sold that gives nothing:

- where late buyers share everybody's days, the sale ends when the last recording closes;
- what is not published is sold for as many days after its last session as the recording would be open, and then no
  more until it is published: by then nobody can rely on its coming.
"""

from datetime import datetime, timedelta

from courses import deposits, window
from courses.shelf import SessionFacts, TicketFacts, WorkshopFacts
from lib import zones

NOT_HERE = "Not yet on sale here."
CATCH_UP = "catch_up"


def is_sold_here(ticket: TicketFacts) -> bool:
    """Whether this ticket's rule is built: paid at once, for a place in the room, the recording alone, or something
    added to a place. What draws from no pool never runs out.

    One that may be paid on an invoice can be paid at once as well; the parts of one with a deposit come to its price.
    """
    is_built = ticket.kind == "extra" or _is_admission(ticket) or _is_catch_up(ticket)
    is_payable = ticket.payment != deposits.PAYMENT or deposits.of(ticket) is not None
    return is_built and is_payable and bool(ticket.prices)


def opens(ticket: TicketFacts, workshop: WorkshopFacts) -> datetime | None:
    """The first instant at which it is sold; None for as long as anybody can look back. A catch-up ticket without a
    beginning of its own follows the live sale."""
    if ticket.kind == CATCH_UP:
        return ticket.sold_from or live_ends(workshop)
    return ticket.sold_from


def ends(ticket: TicketFacts, workshop: WorkshopFacts) -> datetime | None:
    """The first instant at which it is no longer sold; None for a catch-up ticket whose sale has no end yet.

    A live ticket ends at its own end, or at the start of the first session it admits to, whichever is earlier.
    """
    natural = _worth_until(ticket, workshop) if ticket.kind == CATCH_UP else _first_start(ticket, workshop)
    return min((at for at in (natural, ticket.sold_until) if at), default=None)


def live_ends(workshop: WorkshopFacts) -> datetime:
    """When nobody can book the hours themselves from their beginning any more: with the last live ticket, at the
    latest when the first session starts."""
    live = [ends(each, workshop) for each in workshop.tickets if each.kind == "admission"]
    return min(workshop.starts_at, max((at for at in live if at), default=workshop.starts_at))


def why_closed(ticket: TicketFacts, workshop: WorkshopFacts, now: datetime) -> str:
    """Why it is not sold at `now`, in a sentence; nothing when only places could stand against it."""
    if workshop.status == "cancelled":
        return "This workshop is cancelled."
    if not is_sold_here(ticket):
        return NOT_HERE
    if ticket.kind == CATCH_UP and not workshop.catch_up_offered:
        return "This workshop offers no catch-up."
    begins, until = opens(ticket, workshop), ends(ticket, workshop)
    if until is not None and now >= until:
        return _ended(ticket, workshop, until, now)
    if begins is not None and now < begins:
        after = "" if ticket.sold_from else ", when the live sale has ended"
        return f"On sale from {zones.moment(begins, workshop.zone)}{after}."
    return ""


def admitted(ticket: TicketFacts, workshop: WorkshopFacts) -> list[SessionFacts]:
    """The sessions that the ticket is for."""
    return [each for each in workshop.sessions if not ticket.sessions or each.id in ticket.sessions]


def _is_admission(ticket: TicketFacts) -> bool:
    return ticket.kind == "admission" and bool(ticket.pools)


def _is_catch_up(ticket: TicketFacts) -> bool:
    return ticket.kind == CATCH_UP and ticket.includes_recording and not ticket.includes_live


def _first_start(ticket: TicketFacts, workshop: WorkshopFacts) -> datetime:
    return min((each.starts_at for each in admitted(ticket, workshop)), default=workshop.starts_at)


def _worth_until(ticket: TicketFacts, workshop: WorkshopFacts) -> datetime | None:
    """The instant from which a catch-up ticket would give nothing to watch; None where there is none yet."""
    sessions = admitted(ticket, workshop)
    shown = [each.watchable_until for each in sessions if each.watchable_from and each.watchable_until]
    if shown and not window.is_shared(workshop):
        return None
    awaited = [each.ends_at for each in sessions if each.is_recorded and not each.watchable_until]
    promised = [
        window.everybodys(at, workshop.ends_at, workshop.catch_up_days, workshop.zone, workshop.catch_up_from)
        for at in awaited
    ]
    return max(shown + promised, default=workshop.starts_at)


def _ended(ticket: TicketFacts, workshop: WorkshopFacts, until: datetime, now: datetime) -> str:
    if until == ticket.sold_until:
        return f"Ended on {zones.moment(until - timedelta(seconds=1), workshop.zone)}."
    if ticket.kind == CATCH_UP:
        is_shown = any(each.watchable_until for each in admitted(ticket, workshop))
        return "Its recording has closed." if is_shown else "Its recording was not published."
    return "The live session has begun." if now < workshop.ends_at else "This date is over."
