"""The desk's pages of bookings and people, and of the team itself.

Who may see what: owners and managers see bookings, money, letters, history, addresses and all answers. Presenters see
the list of people of a workshop, by name, ticket and state, with the answers that are not private; no address, no
money. Only owners see the team and change it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from accounts import letters, open_to, team
from accounts.models import ROLES, Organiser
from bookings import booked, change_rows, comping, desk, pages, plan_pages, reselling, same_card
from bookings.models import STATES, Attendee, Booking
from courses.models import Workshop
from lib import clock, db, forms, web, zones
from mail import render
from mail.models import Letter
from organisers import attendee_file, words
from organisers.routes import MANAGERS, actor, may_manage
from payments import credits

bp = Blueprint("organise_people", __name__, url_prefix="/organise/<organiser>")
Problems = list[tuple[str, str]]


@bp.get("/bookings")
@open_to.team(*MANAGERS)
def bookings(organiser: Organiser) -> Answer:
    now = clock.now()
    wanted = desk.Wanted(
        words=forms.one_line(request.args.get("q"))[: desk.LONGEST_SEARCH],
        workshop=forms.one_line(request.args.get("workshop"))[:140],
        state=forms.one_line(request.args.get("state"))[:20],
        page=min(max(request.args.get("page", 1, int), 1), 1_000_000),
    )
    found = desk.bookings(organiser.id, wanted, now)
    return shown(
        "organisers/bookings.html",
        organiser,
        wanted=wanted,
        found=found,
        states={each.id: pages.state_of(each, now) for each in found.bookings},
        called={each.id: booked.title(each) for each in found.bookings},
        workshops=desk.workshops(organiser.id),
        every_state=[(each, words.STATES[each][0]) for each in STATES],
    )


@bp.get("/bookings/<reference:reference>")
@open_to.team(*MANAGERS)
def booking(organiser: Organiser, reference: str) -> Answer:
    return booking_page(organiser, reference, [])


@bp.get("/letters/<int:number>")
@open_to.team(*MANAGERS)
def letter(organiser: Organiser, number: int) -> Answer:
    found = desk.letter(organiser.id, number)
    if found is None:
        abort(404)
    parts = render.parts(found)
    return shown(
        "organisers/letter.html",
        organiser,
        letter=found,
        subject=words.without_links(parts.subject),
        text=words.without_links(parts.text),
    )


@bp.get("/workshops/<slug>/people")
@open_to.team()
def people(organiser: Organiser, slug: str) -> Answer:
    workshop = workshop_of(organiser, slug)
    is_manager = may_manage(organiser)
    now = clock.now()
    sought = forms.one_line(request.args.get("q"))[: desk.LONGEST_SEARCH] if is_manager else ""
    everybody = _with_states(desk.people(workshop.id), now)
    fitting = {each.id for each in desk.found_in([one for one, _ in everybody], sought)}
    joined = desk.joined(workshop.id)
    return shown(
        "organisers/people.html",
        organiser,
        workshop=workshop,
        listed=[
            (each, state, desk.answers(each, workshop.questions, private=is_manager), _came(each, workshop, joined))
            for each, state in everybody
            if each.id in fitting
        ],
        coming=sum(state == "confirmed" for _, state in everybody),
        is_manager=is_manager,
        can_give=is_manager and workshop.status == "published",
        sought=sought,
        is_sent=request.args.get("done") == "sent",
        now=now,
    )


@bp.get("/workshops/<slug>/people.csv")
@open_to.team(*MANAGERS)
def people_file(organiser: Organiser, slug: str) -> Answer:
    """The same people for a spreadsheet, told what it is in UTF-8."""
    workshop = workshop_of(organiser, slug)
    listed = [(each, words.STATES[state][0]) for each, state in _with_states(desk.people(workshop.id), clock.now())]
    text = attendee_file.write(workshop, listed, desk.joined(workshop.id))
    answer = Response("\ufeff" + text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename={workshop.slug}-people.csv"
    return web.private(answer)


@bp.get("/team", endpoint="team")
@open_to.team("owner")
def team_page(organiser: Organiser) -> Answer:
    return _team(organiser, [])


@bp.post("/team")
@open_to.team("owner")
def invite(organiser: Organiser) -> Answer:
    typed = forms.one_line(request.form.get("email"))
    role = request.form.get("role", "")
    if role not in ROLES:
        return _team(organiser, [("role", "Please choose a role.")], typed, status=422)
    try:
        email = forms.email(typed)
    except ValueError as problem:
        return _team(organiser, [("email", str(problem))], typed, role, status=422)
    number, by, now = organiser.id, actor(), clock.now()
    try:
        with db.writing():
            team.invite(number, email, role, actor=by, now=now)
    except team.AlreadyInTeam as refusal:
        return _team(organiser, [("email", refusal.message)], typed, role, status=refusal.status)
    return _to_team(organiser, "invited")


@bp.post("/team/invitations/<int:number>/withdrawal")
@open_to.team("owner")
def take_back(organiser: Organiser, number: int) -> Answer:
    owner, by, now = organiser.id, actor(), clock.now()
    with db.writing():
        team.take_back(owner, number, actor=by, now=now)
    return _to_team(organiser, "taken-back")


@bp.post("/team/<int:member>/role")
@open_to.team("owner")
def change_role(organiser: Organiser, member: int) -> Answer:
    role = request.form.get("role", "")
    if role not in ROLES:
        return _team(organiser, [(f"role-{member}", "Please choose a role.")], status=422)
    number, by, now = organiser.id, actor(), clock.now()
    with db.writing():
        team.change_role(number, member, role, actor=by, now=now)
    return _to_team(organiser, "changed")


@bp.post("/team/<int:member>/removal")
@open_to.team("owner")
def remove(organiser: Organiser, member: int) -> Answer:
    number, by, now = organiser.id, actor(), clock.now()
    with db.writing():
        team.remove(number, member, actor=by, now=now)
    return _to_team(organiser, "removed")


def booking_page(organiser: Organiser, reference: str, problems: Problems, status: int = 200) -> Answer:
    """A booking for the team, with what was typed into one of its forms when something is to be put right."""
    found = desk.booking(organiser.id, reference)
    if found is None:
        abort(404)
    listed, entries, now = desk.letters(found), desk.entries(found), clock.now()
    names = desk.names(entries)
    questions = {each.id: each.workshop.questions for each in found.attendees}
    return shown(
        "organisers/booking.html",
        organiser,
        status=status,
        booking=found,
        state=pages.state_of(found, now),
        money=desk.money(found.bill_id),
        plan=plan_pages.view(found, now),
        credits=credits.of_bill(found.bill_id),
        resale=reselling.pending(found.id),
        letters=listed,
        failed=_failed(found, listed),
        owing=change_rows.owing(found.id),
        known_card=next((each.facts["bookings"] for each in entries if each.verb == same_card.SEEN), []),
        entries=[(each, words.actor(each, names), words.entry(each)) for each in entries],
        answers={each.id: desk.answers(each, questions[each.id], private=True) for each in found.attendees},
        was_comped=bool(found.quote.get("is_comp")),
        agreed_nothing=found.terms_version == comping.UNASKED,
        problems=problems,
        typed=request.form if problems else {},
        done=request.args.get("done", "") if not problems else "",
    )


def shown(template: str, organiser: Organiser, *, status: int = 200, **values: object) -> Answer:
    """A page of the desk: never stored, its address not passed on."""
    page = render_template(template, organiser=organiser, words=words, **values)
    return web.private(Response(page, status))


def workshop_of(organiser: Organiser, slug: str) -> Workshop:
    """The organiser's workshop, or 404."""
    found = desk.workshop(organiser.id, slug)
    if found is None:
        abort(404)
    return found


def _with_states(found: Sequence[Attendee], now: datetime) -> list[tuple[Attendee, str]]:
    """Each with the state their place has at `now`, without those whose hold ran out."""
    states = [each.state if each.state != "held" else pages.state_of(each.booking, now) for each in found]
    return [(each, state) for each, state in zip(found, states, strict=True) if state != "lapsed"]


def _came(attendee: Attendee, workshop: Workshop, joined: Mapping[tuple[int, int], datetime]) -> list[tuple[int, str]]:
    """The sessions the attendee went through to, by number, and the time on the wall there with its zone."""
    times = [(each, joined.get((attendee.id, each.id))) for each in workshop.sessions]
    return [
        (each.number, f"{zones.wall(at, each.zone):%H:%M} {zones.label(at, each.zone)}") for each, at in times if at
    ]


def _failed(found: Booking, listed: Sequence[Letter]) -> list[tuple[str, int | None, str]]:
    """Whose newest letter did not arrive: name, n (None for the booker), and the server's answer."""
    newest: dict[tuple[str, str], Letter] = {}
    for each in listed:
        newest.setdefault((each.about, each.to_email), each)
    owners: list[tuple[str, str, str, int | None]] = [
        (f"booking:{found.id}", found.booker_name, found.booker_email, None)
    ]
    owners += [(f"attendee:{each.id}", each.name, each.email, each.n) for each in found.attendees]
    return [
        (name, n, newest[about, email].answer or "")
        for about, name, email, n in owners
        if (about, email) in newest and newest[about, email].state == "failed"
    ]


def _team(
    organiser: Organiser, problems: Problems, typed: str = "", role: str = "manager", status: int = 200
) -> Answer:
    now = clock.now()
    return shown(
        "organisers/team.html",
        organiser,
        status=status,
        members=team.members(organiser.id),
        invitations=team.invitations(organiser.id, now),
        may=letters.MAY_WORDS,
        roles=[(each, words.ROLES[each]) for each in ROLES],
        typed=typed,
        role=role,
        problems=problems,
        done=request.args.get("done", "") if not problems else "",
    )


def _to_team(organiser: Organiser, done: str) -> Answer:
    return redirect(url_for("organise_people.team", organiser=organiser.slug, done=done), code=303)
