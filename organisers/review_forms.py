"""What somebody who has looked through a film types: its beginning and end, what is cut out, chapters."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, ValidationError

from lib import forms
from recordings import cutting, originals
from recordings.cutting import Chapter, Stretch, TimesBroken
from recordings.models import Recording

Read = TypeVar("Read")


class CutsForm(forms.Form):
    """Times of the whole film. After `validate()` the parsed values are `starts`, `ends`, `stretches`, `chapters`."""

    trim_from = StringField("It begins at", description="As h:mm:ss. What comes before is left out.")
    trim_to = StringField("It ends at", description="As h:mm:ss. What comes after is left out.")
    cuts = TextAreaField(
        "Cut out", description="One stretch a line, such as 0:12:30 - 0:14:00. Neither picture nor sound of it is kept."
    )
    marks = TextAreaField(
        "Chapters",
        description="One a line, such as 0:12:30 The second exercise. Times are those of the whole film; we move them "
        "with the cuts.",
    )

    def __init__(self, seconds: int, typed: Any = None, **known: Any) -> None:
        super().__init__(typed, **known)
        self.seconds = seconds
        self.starts = 0
        self.ends: int | None = None
        self.stretches: list[Stretch] = []
        self.chapters: list[Chapter] = []

    def validate_trim_from(self, field: StringField) -> None:
        self.starts = _read(lambda: cutting.seconds_of(field.data or "0"))
        if self.starts >= self.seconds:
            raise ValidationError(f"The film ends before that, at {cutting.clock(self.seconds)}.")

    def validate_trim_to(self, field: StringField) -> None:
        ends = _read(lambda: cutting.seconds_of(field.data or str(self.seconds)))
        if ends <= self.starts:
            raise ValidationError("It would end before it begins. Please give a later time.")
        self.ends = ends if ends < self.seconds else None

    def validate_cuts(self, field: TextAreaField) -> None:
        self.stretches = _read(lambda: cutting.stretches_of(field.data or "", self.seconds))
        if not (self.trim_from.errors or self.trim_to.errors):
            _read(lambda: cutting.kept(self.seconds, self.starts, self.ends, self.stretches))

    def validate_marks(self, field: TextAreaField) -> None:
        self.chapters = _read(lambda: cutting.marks_of(field.data or "", self.seconds))


def of(recording: Recording) -> CutsForm:
    """The form as it was last sent."""
    seconds = length(recording)
    ends = seconds if recording.trim_to is None else recording.trim_to
    return CutsForm(
        seconds,
        data={
            "trim_from": cutting.clock(recording.trim_from),
            "trim_to": cutting.clock(ends),
            "cuts": _lines([f"{cutting.clock(a)} - {cutting.clock(b)}" for a, b in recording.cuts]),
            "marks": _lines([f"{cutting.clock(at)} {title}" for at, title in recording.marks]),
        },
    )


def length(recording: Recording) -> int:
    """Of the whole film, in seconds."""
    return recording.whole_seconds or recording.seconds


class OriginalsForm(forms.Form):
    """How long what was sent is kept."""

    days = IntegerField(
        "Days after publication",
        description="After that the films you sent and what was cut out of them are removed, and the cuts can no "
        "longer be changed. What is published stays. 0 removes them in the night after publication.",
        validators=[
            InputRequired("Please write a whole number, in figures."),
            NumberRange(0, originals.MOST_DAYS),
        ],
    )


def _read(how: Callable[[], Read]) -> Read:
    try:
        return how()
    except TimesBroken as problem:
        raise ValidationError(str(problem)) from problem


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines)
