"""What the desk types about a handout."""

import re
from typing import Any

from wtforms import DateField, SelectField, StringField
from wtforms.validators import Length, StopValidation

from courses.models import Workshop
from lib.forms import Form, one_line
from organisers.choices import options

ACCESS = (
    ("with_recording", "As long as the recording can be watched"),
    ("until", "Up to a day of your choice, and never shorter than the recording"),
    ("always", "As long as they have their place"),
)


def _where_it_counts(form: Any, field: Any) -> None:
    """A day is needed where one was to be chosen, and looked at nowhere else."""
    if form.access.data != "until":
        field.data, field.errors = None, []
        raise StopValidation
    if not any(field.raw_data or []):
        field.errors = []
        raise StopValidation("Please give the last day on which it can be downloaded, such as 2027-05-28.")


class HandoutForm(Form):
    """A handout beside its file."""

    name = StringField(
        "What it is called",
        [Length(max=120, message="Please shorten this to 120 characters.")],
        [one_line],
        description="What attendees see and the file is saved as. Empty: the file's own name.",
    )
    session = SelectField("It goes with", default="")
    access = SelectField("Attendees can download it", choices=options(ACCESS), default="with_recording")
    until = DateField("Up to and including", [_where_it_counts], description="Where you choose a day above.")


def of(workshop: Workshop, typed: Any = None) -> HandoutForm:
    """The form for a workshop; with one session there is nothing to choose."""
    form = HandoutForm(typed)
    sessions = [(str(each.number), f"Session {each.number}") for each in workshop.sessions]
    form.session.choices = options([("", "The whole workshop"), *(sessions if len(sessions) > 1 else [])])
    return form


def name_of(filename: str) -> str:
    """A file's own name without its folder and ending, as something to call it."""
    stem = one_line(re.split(r"[/\\]", filename)[-1])
    return (stem.rpartition(".")[0] or stem)[:120]


def safe(name: str) -> str:
    """A name that is one part of a path on every machine: no slashes, no leading dot, not empty."""
    return re.sub(r'[/\\:*?"<>|]', "-", one_line(name)).strip(" .")[:120] or "Handout"
