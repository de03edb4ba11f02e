"""Booking a bundle: the same form as for a workshop, for places at all of its workshops."""

from flask import Blueprint
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import bundle_sale, routes
from courses.bundles_routes import one
from lib import limits

bp = Blueprint("bundle_bookings", __name__)


@bp.get("/bundles/<slug>/bookings/new")
@open_to.anyone
def new(slug: str) -> Answer | str:
    return routes.form_of(_sale(slug))


@bp.post("/bundles/<slug>/bookings")
@open_to.anyone
@limits.limiter.limit("30 per hour", key_func=limits.by_field("booker_email"))
def book(slug: str) -> Answer | str | tuple[str, int]:
    return routes.book_from(lambda: _sale(slug))


@bp.post("/bundles/<slug>/quote")
@open_to.anyone
def quote(slug: str) -> Answer | str | tuple[str, int]:
    return routes.quote_of(_sale(slug))


def _sale(slug: str) -> routes.Sale:
    return routes.Sale(one(slug), f"/bundles/{slug}", bundle_sale.start, template="courses/bundle_new.html")
