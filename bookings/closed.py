"""Why nothing of a workshop or a bundle can be booked: a refusal with the way on."""

from courses import catalogue, places, sale
from courses.bundles import BundleListing
from lib import web


class SaleEnded(web.Refusal):
    status = 410
    refusal = "sale_ended"
    title = "Booking has ended for this date"


class WorkshopCancelled(web.Refusal):
    status = 410
    refusal = "workshop_cancelled"
    title = "This workshop is cancelled"


class NotSoldHere(web.Refusal):
    status = 409
    refusal = "not_on_sale"
    title = "This workshop is not on sale here"


def refuse_unless_bookable(listing: catalogue.Listing) -> None:
    """Raise the refusal that says why nothing of this workshop can be booked, if so: full 409, over 410."""
    if listing.bookable:
        return
    facts = other_dates(listing)
    if isinstance(listing, BundleListing):
        raise _bundle(listing, facts)
    if listing.state == "cancelled":
        raise WorkshopCancelled("Nobody can book it any more. Nothing has been charged.", **facts)
    sold_here = [each for each in listing.offers if sale.is_sold_here(each.ticket)]
    if any(each.is_full for each in listing.offers):
        facts |= {"also_url": waiting_page(listing), "also_text": "Join the waiting list"}
        raise places.WorkshopFull(listing.places_left, listing.places_left + 1, **facts)
    if listing.state in ("running", "past") or sold_here:
        raise SaleEnded("You have not been charged. Other dates may still have places.", **facts)
    raise NotSoldHere("Its tickets need a rule this site does not handle yet. Nothing has been charged.", **facts)


def other_dates(listing: catalogue.Listing) -> dict[str, str]:
    """The way on from a refusal: the course with all its dates, or each workshop of a bundle."""
    if isinstance(listing, BundleListing):
        page = web.url("bundles.shown", slug=listing.bundle.slug)
        return {"next_url": page, "next_text": "See each of its workshops"}
    page = web.url("courses.course", slug=listing.workshop.course_slug)
    return {"next_url": page, "next_text": "See all dates of this course"}


def waiting_page(listing: catalogue.Listing) -> str:
    """Where somebody puts themselves on the waiting list."""
    return web.url("waiting.new", slug=listing.workshop.slug)


def _bundle(listing: BundleListing, facts: dict[str, str]) -> web.Refusal:
    """Why a bundle cannot be booked; its workshops may still be, each alone."""
    said = f"{listing.offer.reason} The bundle is one place at each of its workshops. Nothing has been charged."
    if listing.offer.is_full:
        full = places.WorkshopFull(0, 1, **facts)
        full.message = said
        return full
    if listing.state == "cancelled":
        return WorkshopCancelled(said, **facts)
    return SaleEnded(said, **facts)
