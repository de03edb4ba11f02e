"""How workshops stand now, and the parts of pages made from that, kept while nothing about them can have changed.

A listing follows from a workshop's facts, the number of claimed places and the moment; between two moments at which
something begins or ends (a session, a sale) the moment does not matter. The kept listing is then the very same
object, and so is what was rendered from it.
"""

from datetime import UTC, datetime
from functools import lru_cache

from flask import render_template
from markupsafe import Markup

from courses import machines, sale
from courses.catalogue import Listing, listing
from courses.shelf import Shelf, Standing, WorkshopFacts
from lib import texts

EVER, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def of(found: Shelf, workshop: WorkshopFacts, now: datetime) -> Listing:
    """The workshop as it stands at `now`. Its places must be among those that were counted for `found`."""
    claims = tuple(found.claimed[pool] for pool in workshop.pool_ids)
    kept = found.standings.get(workshop.id)
    if kept is None or kept.claims != claims or not kept.since <= now < kept.until:
        since, until = _unchanged(workshop, now)
        kept = Standing(claims, since, until, listing(workshop, found.claimed, now))
        found.standings[workshop.id] = kept
    stands: Listing = kept.listing
    return stands


@lru_cache(maxsize=2048)
def part(template: str, stands: Listing, zone: str = "") -> Markup:
    """A part of a page that follows from a listing and the zone it is read in, the workshop's own if none is given.

    `template` may use nothing else of the request or the visitor.
    """
    description = Markup(texts.rich(stands.workshop.description))  # noqa: S704 - an allow-list made it safe
    return Markup(  # noqa: S704 - rendered with escaping on
        render_template(
            template,
            listing=stands,
            workshop=stands.workshop,
            description=description,
            zone=zone or stands.workshop.zone,
            said=machines.said,
            machine_facts=machines.facts,
        )
    )


def _unchanged(workshop: WorkshopFacts, now: datetime) -> tuple[datetime, datetime]:
    """The span around `now` in which no session or sale of the workshop begins or ends."""
    turns = [workshop.starts_at, workshop.ends_at]
    turns += [session.starts_at for session in workshop.sessions]
    sales = [(sale.opens(each, workshop), sale.ends(each, workshop)) for each in workshop.tickets]
    turns += [at for each in sales for at in each if at]
    return (
        max((at for at in turns if at <= now), default=EVER),
        min((at for at in turns if at > now), default=NEVER),
    )
