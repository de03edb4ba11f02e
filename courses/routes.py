"""The public catalogue: list, workshop, course, who teaches, who organises, feeds."""

from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from courses import bundles, catalogue, feeds, machines, search, shelf, slugs, standing
from courses.models import Course
from lib import clock, db, texts, visitor, web

bp = Blueprint("courses", __name__)
A_PAGE = 24
FILTERS = ("q", "topic", "format", "from", "to", "free", "most", "recordings")


@bp.get("/workshops")
@open_to.anyone
def listed() -> str:
    now = clock.now()
    page = max(request.args.get("page", 1, int), 1)
    part = slice((page - 1) * A_PAGE, page * A_PAGE)
    zone = visitor.zone() or ""
    asked = search.wish(request.args, request.args.getlist("format"))

    def wanted(kept: shelf.Shelf) -> list[shelf.WorkshopFacts]:
        found = catalogue.recorded(kept, now) if asked.recordings else catalogue.upcoming(kept, now)
        return [each for each in found if search.fits(each, asked, zone)] if asked.is_any else found

    # Whether a place is free, or a recording left, is only known once all that could be meant are counted.
    counts_all = asked.only_free_places or asked.most is not None or asked.recordings
    found = shelf.read(
        now, lambda kept: bundles.with_those_beside(kept, wanted(kept) if counts_all else wanted(kept)[part])
    )
    fitting = wanted(found)
    if counts_all:
        fitting = [each for each in fitting if search.stands(standing.of(found, each, now), asked)]
    pages = max((len(fitting) + A_PAGE - 1) // A_PAGE, 1)
    if page > pages:
        abort(404)
    query = [(name, value) for name, value in request.args.items(multi=True) if name in FILTERS and value]
    return render_template(
        "courses/list.html",
        listings=[standing.of(found, each, now) for each in fitting[part]],
        bundled=bundles.on_sale(found, fitting[part], now),
        page=page,
        pages=pages,
        number=len(fitting),
        has_recordings=asked.recordings or bool(catalogue.recorded(found, now)),
        part=standing.part,
        zone=zone,
        asked=asked,
        topics=search.TOPICS,
        formats=catalogue.FORMATS,
        query=f"&{urlencode(query)}" if query else "",
        canonical=web.url(
            "courses.listed",
            **({"recordings": 1} if asked.recordings else {}),
            **({"page": page} if page > 1 else {}),
        ),
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
def workshop(slug: str) -> str | Answer:
    now = clock.now()
    found = shelf.read(now, lambda kept: bundles.with_those_beside(kept, _of_slug(kept, slug)))
    if slug not in found.by_slug:
        return _moved("workshop", slug)
    listing = standing.of(found, found.by_slug[slug], now)
    return render_template(
        "courses/workshop.html",
        listing=listing,
        workshop=listing.workshop,
        bundled=bundles.on_sale(found, [listing.workshop], now)[listing.workshop.id],
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
def course(slug: str) -> str | Answer:
    now = clock.now()
    found = shelf.read(now, lambda kept: [each for each in kept.workshops if each.course_slug == slug])
    dates = [each for each in found.workshops if each.course_slug == slug]
    if not dates:
        return _moved("course", slug)
    taught = db.session.scalars(select(Course).where(Course.slug == slug)).one()
    listings = [standing.of(found, each, now) for each in dates]
    return render_template(
        "courses/course.html",
        course=taught,
        description=texts.rich(taught.description),
        said=machines.said(taught.summary),
        ahead=[each for each in listings if each.state in ("scheduled", "running")],
        gone=[each for each in reversed(listings) if each.state in ("past", "cancelled")],
        zone=visitor.zone() or "",
        now=now,
    )


@bp.get("/organisers/<slug>")
@open_to.anyone
def organiser(slug: str) -> str:
    now = clock.now()
    found = shelf.read(now, lambda kept: [each for each in kept.workshops if each.organiser.slug == slug])
    theirs = [each for each in found.workshops if each.organiser.slug == slug]
    if not theirs:
        abort(404)
    who = theirs[0].organiser
    return _of_somebody(found, theirs, now, who.name, who.about, who, is_presenter=False)


@bp.get("/presenters/<organiser>/<slug>")
@open_to.anyone
def presenter(organiser: str, slug: str) -> str:
    def taught(kept: shelf.Shelf) -> list[shelf.WorkshopFacts]:
        return [
            each
            for each in kept.workshops
            if each.organiser.slug == organiser and slug in [who.slug for who in each.presenters]
        ]

    now = clock.now()
    found = shelf.read(now, taught)
    theirs = taught(found)
    if not theirs:
        abort(404)
    (who,) = [each for each in theirs[0].presenters if each.slug == slug]
    return _of_somebody(found, theirs, now, who.name, who.about, theirs[0].organiser)


def _of_somebody(
    found: shelf.Shelf,
    theirs: list[shelf.WorkshopFacts],
    now: datetime,
    name: str,
    about: str,
    organiser: shelf.OrganiserFacts,
    *,
    is_presenter: bool = True,
) -> str:
    """The page of a presenter, or of an organiser, with everything they teach."""
    listings = [standing.of(found, each, now) for each in theirs]
    return render_template(
        "courses/person.html",
        name=name,
        about=Markup(texts.rich(about)),  # noqa: S704 - an allow-list made it safe
        said=machines.said(about),
        organiser=organiser,
        is_presenter=is_presenter,
        canonical=web.url(str(request.endpoint), **(request.view_args or {})),
        ahead=[each for each in listings if each.state in ("scheduled", "running")],
        gone=[each for each in reversed(listings) if each.state in ("past", "cancelled")],
        zone=visitor.zone() or "",
    )


def _moved(kind: slugs.Kind, slug: str) -> Answer:
    """Leads on from an address that a published course or workshop had before; 404 for anything else."""
    now_at = slugs.followed(kind, slug)
    if now_at is None:
        abort(404)
    return redirect(url_for(f".{kind}", slug=now_at), code=301)


def one(slug: str) -> catalogue.Listing:
    """The published or cancelled workshop of that slug as it stands now; 404 for anything else."""
    now = clock.now()
    found = shelf.read(now, lambda kept: _of_slug(kept, slug))
    if slug not in found.by_slug:
        abort(404)
    return standing.of(found, found.by_slug[slug], now)


def _of_slug(kept: shelf.Shelf, slug: str) -> list[shelf.WorkshopFacts]:
    return [kept.by_slug[slug]] if slug in kept.by_slug else []


def _calendar(body: bytes, name: str) -> Response:
    answer = Response(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    return answer
