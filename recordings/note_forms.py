"""The form for a note."""

import re
import unicodedata
from typing import Any

from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length, ValidationError

from lib.forms import Form, one_line
from recordings.notes import LONGEST_NOTE

_AT = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,6})")


def some_lines(text: str | None) -> str:
    """`text` with plain line ends and without other control characters, trimmed."""
    lines = (text or "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = ("".join(c if unicodedata.category(c) not in ("Cc", "Cs") else " " for c in line).rstrip() for line in lines)
    return "\n".join(kept).strip()


class NoteForm(Form):
    """What somebody writes down, and at which place of the film."""

    at = StringField("At", filters=[one_line])
    text = TextAreaField(
        "Your note",
        [
            DataRequired("Please write something first."),
            Length(max=LONGEST_NOTE, message=f"Please shorten this to {LONGEST_NOTE} characters."),
        ],
        [some_lines],
    )

    def validate_at(self, field: Any) -> None:
        match = _AT.fullmatch(field.data or "0")
        if match is None:
            raise ValidationError("Please give the place as hours, minutes and seconds, such as 0:41:20.")

    @property
    def seconds(self) -> int:
        """The place, in seconds; good once the form is valid."""
        match = _AT.fullmatch(self.at.data or "0")
        hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        return (hours * 60 + minutes) * 60 + seconds
