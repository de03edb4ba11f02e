"""What the team asks of somebody's days, or everybody's."""

from typing import Any

from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from lib.forms import Form, one_line
from organisers.choices import options
from recordings.windows import Wish

ACTS = (("extend", "Give more days"), ("pause", "Pause them"), ("resume", "Let them go on"))
MOST_DAYS = 366


class WindowForm(Form):
    """More days, a pause, or going on, with the reason."""

    act = SelectField("What to do", choices=options(ACTS), default="extend")
    days = IntegerField(
        "Days more",
        [Optional()],
        default=7,
        description="Only for more days: from when it closes, or from today where it has closed.",
    )
    why = StringField(
        "Why",
        [InputRequired("Please say why. It is kept in the history."), Length(max=300)],
        [one_line],
        description="For your team. The letter to the person does not say it.",
    )

    def validate_days(self, field: Any) -> None:
        if self.act.data == "extend" and not 1 <= (field.data or 0) <= MOST_DAYS:
            raise ValidationError(f"Please give a number from 1 to {MOST_DAYS}.")

    @property
    def wish(self) -> Wish:
        return Wish(self.act.data, self.why.data or "", int(self.days.data or 0) if self.act.data == "extend" else 0)


class EverybodyForm(WindowForm):
    """The same for all who may watch one recording."""

    session = SelectField("Which recording", default="")
