"""The attendee's answers to what the workshop asks, behind the link of their own place."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import answering, forms, lifecycle, pages
from bookings.models import Attendee
from courses.models import Question
from lib import clock, db, links, web
from lib.forms import Form, one_line

bp = Blueprint("answering", __name__)


@bp.get("/places/<token>/answers")
@open_to.holder_of_link
def shown(token: str) -> Answer:
    attendee = _holder(token)
    asked = answering.questions(attendee)
    return _page(token, attendee, asked, _form(asked, answering.given(attendee)))


@bp.post("/places/<token>/answers")
@open_to.holder_of_link
def save(token: str) -> Answer:
    attendee = _holder(token)
    asked = answering.questions(attendee)
    form = _form(asked, None)
    is_valid = form.validate()
    for each in asked:
        bound = form[f"answer-{each.code}"]
        if each.is_required and not bound.data:
            bound.errors, is_valid = [*bound.errors, f"Please answer: {each.label}"], False
    if not is_valid:
        return _page(token, attendee, asked, form, 422)
    values = {each.id: form[f"answer-{each.code}"].data for each in asked}
    said = {number: "yes" if value is True else one_line(str(value)) for number, value in values.items() if value}
    n, bill_id, now = attendee.n, attendee.booking.bill_id, clock.now()
    with db.writing():
        answering.save(lifecycle.locked(bill_id), n, asked, said, now)
    return redirect(url_for(".shown", token=token, done="yes"), code=303)


def _holder(token: str) -> Attendee:
    """The attendee whose place this is, while answers are open. Raises AnswersClosed."""
    number = links.row_of(token)
    found = pages.attendee_by_id(number) if number else None
    if found is None or not links.verify_token("place", found.link_version, token):
        abort(404)
    answering.refuse_closed(found, clock.now())
    return found


def _form(asked: Sequence[Question], said: Mapping[int, str] | None) -> Any:
    """The questions as fields: as they were answered, or as typed when `said` is None."""
    fields = {f"answer-{each.code}": forms.question_field(each.kind, each.label, tuple(each.choices)) for each in asked}
    kind: Any = type("AnswersForm", (Form,), fields)
    if said is None:
        return kind(formdata=request.form)
    made = kind()
    for each in asked:
        if each.id in said:
            made[f"answer-{each.code}"].data = True if each.kind == "tick" else said[each.id]
    return made


def _page(token: str, attendee: Attendee, asked: Sequence[Question], form: Any, status: int = 200) -> Answer:
    page = render_template(
        "bookings/answers.html",
        token=token,
        attendee=attendee,
        asked=[(each, form[f"answer-{each.code}"]) for each in asked],
        is_done=request.args.get("done") == "yes",
    )
    return web.private(Response(page, status=status))
