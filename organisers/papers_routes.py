"""An organiser's papers: what the public reads, and where owners write a new version. A version is never edited."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from accounts import branding, open_to, papers
from accounts.models import Organiser, Paper
from bookings import terms
from lib import clock, db
from organisers import words
from organisers.people_routes import Problems, shown
from organisers.routes import actor

bp = Blueprint("organise_papers", __name__)
DESK = "/organise/<organiser>/papers"
KIND = "<any(terms, privacy, accessibility):kind>"


@bp.get(f"/organisers/<slug>/{KIND}")
@open_to.anyone
def public(slug: str, kind: str) -> str:
    organiser = _public(slug)
    wanted = request.args.get("version")
    found = papers.version(organiser.id, kind, wanted) if wanted else papers.current(organiser.id, kind)
    if found is None and wanted not in (None, terms.CURRENT):
        abort(404)
    if found is None:
        return render_template(f"visitors/{kind}.html", version=terms.CURRENT)
    newest = papers.current(organiser.id, kind)
    return render_template(
        "organisers/paper.html",
        organiser=organiser,
        title=words.PAPERS[kind],
        paper=found,
        body=papers.html(found.text),
        is_newest=newest is not None and newest.id == found.id,
        kind=kind,
    )


@bp.get("/organisers/<slug>/logo")
@open_to.anyone
def logo(slug: str) -> Answer:
    found = branding.logo(_public(slug).logo)
    if found is None:
        abort(404)
    answer = Response(found.path.read_bytes(), mimetype=found.mimetype)
    answer.headers["Cache-Control"] = "public, max-age=300"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@bp.get("/organisers/<slug>/colours.css")
@open_to.anyone
def colours(slug: str) -> Answer:
    """The organiser's colour as a band over its pages: `.organiser-band`."""
    colour = _public(slug).colour
    answer = Response(branding.sheet(colour) if colour else "", mimetype="text/css")
    answer.headers["Cache-Control"] = "public, max-age=300"
    answer.add_etag()
    return answer.make_conditional(request)


@bp.get(DESK, endpoint="papers")
@open_to.team("owner")
def listed(organiser: Organiser) -> Answer:
    current = {kind: papers.current(organiser.id, kind) for kind in papers.KINDS}
    return shown("organisers/papers.html", organiser, current=current, house=terms.CURRENT)


@bp.get(f"{DESK}/{KIND}")
@open_to.team("owner")
def paper(organiser: Organiser, kind: str) -> Answer:
    newest = papers.current(organiser.id, kind)
    return _form(organiser, kind, newest.text if newest else "", [])


@bp.post(f"{DESK}/{KIND}/preview")
@open_to.team("owner")
def preview(organiser: Organiser, kind: str) -> Answer:
    text, problems = _typed()
    return _form(organiser, kind, text, problems, 422 if problems else 200, is_preview=not problems)


@bp.post(f"{DESK}/{KIND}")
@open_to.team("owner")
def write(organiser: Organiser, kind: str) -> Answer:
    text, problems = _typed()
    if problems:
        return _form(organiser, kind, text, problems, 422)
    number, by, now = organiser.id, actor(), clock.now()
    with db.writing():
        papers.write(number, kind, text, actor=by, now=now)
    return redirect(url_for(".paper", organiser=organiser.slug, kind=kind, done="written"), code=303)


def _public(slug: str) -> Organiser:
    found = db.session.scalars(select(Organiser).where(Organiser.slug == slug)).one_or_none()
    if found is None:
        abort(404)
    return found


def _typed() -> tuple[str, Problems]:
    text = (request.form.get("text") or "").replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        return text, [("text", "Please write the text. Until there is one, the house's own stands.")]
    if len(text) > papers.LONGEST:
        return text, [("text", f"This is longer than {papers.LONGEST:,} characters. Please shorten it.")]
    return text, []


def _form(
    organiser: Organiser, kind: str, text: str, problems: Problems, status: int = 200, *, is_preview: bool = False
) -> Answer:
    every: list[Paper] = papers.versions(organiser.id, kind)
    return shown(
        "organisers/paper_form.html",
        organiser,
        status=status,
        kind=kind,
        title=words.PAPERS[kind],
        text=text,
        versions=every,
        preview=papers.html(text) if is_preview else None,
        problems=problems,
        done=request.args.get("done", "") if not problems else "",
    )
