"""The public page of a bundle."""

from flask import Blueprint, abort, render_template

from accounts import open_to
from courses import bundles, machines
from lib import clock, visitor

bp = Blueprint("bundles", __name__)


@bp.get("/bundles/<slug>")
@open_to.anyone
def shown(slug: str) -> str:
    listing = one(slug)
    return render_template(
        "courses/bundle.html",
        listing=listing,
        together=listing.workshop,
        said=machines.said(listing.bundle.about or listing.bundle.title),
        zone=visitor.zone() or listing.workshop.zone,
    )


def one(slug: str) -> bundles.BundleListing:
    """The published bundle of that slug as it stands now; 404 for anything else."""
    return bundles.by_slug(slug, clock.now()) or abort(404)
