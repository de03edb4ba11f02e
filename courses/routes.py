"""The public catalogue: list, workshop, course, feeds."""

from flask import Blueprint, Response, abort, jsonify, render_template, request
from sqlalchemy import select

from accounts import open_to
from courses import catalogue, feeds, shelf, standing
from courses.models import Course
from lib import clock, db, texts, visitor

bp = Blueprint("courses", __name__)
A_PAGE = 24


@bp.get("/workshops")
@open_to.anyone
def listed() -> str:
    now = clock.now()
    page = max(request.args.get("page", 1, int), 1)
    part = slice((page - 1) * A_PAGE, page * A_PAGE)
    found = shelf.read(now, lambda kept: catalogue.upcoming(kept, now)[part])
    upcoming = catalogue.upcoming(found, now)
    pages = max((len(upcoming) + A_PAGE - 1) // A_PAGE, 1)
    if page > pages:
        abort(404)
    listings = [standing.of(found, each, now) for each in upcoming[part]]
    return render_template(
        "courses/list.html",
        listings=listings,
        page=page,
        pages=pages,
        number=len(upcoming),
        part=standing.part,
        zone=visitor.zone() or "",
    )


@bp.get("/workshops.json")
@open_to.anyone
def listed_json() -> Response:
    now = clock.now()
    found = shelf.read(now, lambda kept: kept.workshops)
    wanted = found.workshops if request.args.get("past") == "1" else catalogue.upcoming(found, now)
    listings = (standing.of(found, each, now) for each in wanted)
    return jsonify({"workshops": [feeds.workshop(each) for each in listings]})


@bp.get("/workshops.ics")
@open_to.anyone
def listed_calendar() -> Response:
    now = clock.now()
    found = shelf.read(now)
    listings = [standing.of(found, each, now) for each in catalogue.upcoming(found, now)]
    return _calendar(feeds.calendar(listings, "Colloquy workshops", now), "workshops")


@bp.get("/workshops/<slug>")
@open_to.anyone
def workshop(slug: str) -> str:
    listing = one(slug)
    return render_template(
        "courses/workshop.html",
        listing=listing,
        workshop=listing.workshop,
        part=standing.part,
        zone=visitor.zone() or "",
    )


@bp.get("/workshops/<slug>/calendar.ics")
@open_to.anyone
def workshop_calendar(slug: str) -> Response:
    listing = one(slug)
    return _calendar(feeds.calendar([listing], listing.workshop.title, clock.now()), slug)


@bp.get("/courses/<slug>")
@open_to.anyone
def course(slug: str) -> str:
    now = clock.now()
    found = shelf.read(now, lambda kept: [each for each in kept.workshops if each.course_slug == slug])
    dates = [each for each in found.workshops if each.course_slug == slug]
    if not dates:
        abort(404)
    taught = db.session.scalars(select(Course).where(Course.slug == slug)).one()
    listings = [standing.of(found, each, now) for each in dates]
    return render_template(
        "courses/course.html",
        course=taught,
        description=texts.rich(taught.description),
        ahead=[each for each in listings if each.state in ("scheduled", "running")],
        gone=[each for each in reversed(listings) if each.state in ("past", "cancelled")],
        zone=visitor.zone() or "",
        now=now,
    )


def one(slug: str) -> catalogue.Listing:
    """The published or cancelled workshop of that slug as it stands now; 404 for anything else."""
    now = clock.now()
    found = shelf.read(now, lambda kept: [kept.by_slug[slug]] if slug in kept.by_slug else [])
    if slug not in found.by_slug:
        abort(404)
    return standing.of(found, found.by_slug[slug], now)


def _calendar(body: bytes, name: str) -> Response:
    answer = Response(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    return answer
