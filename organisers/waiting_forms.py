"""How a workshop's waiting list works: what the organiser sets."""

from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from lib.forms import Form


class WaitingSettingsForm(Form):
    """In order and for so long, or near the start to whoever answers first."""

    waiting_at_once = IntegerField(
        "Offers open at once",
        [InputRequired("Please say how many offers may be open at once."), NumberRange(1, 1000)],
        description="1 asks one person after the other; more fills several places sooner.",
    )
    waiting_hours = IntegerField(
        "Hours to answer",
        [InputRequired("Please say for how many hours a place is held."), NumberRange(1, 24 * 30)],
        description="So long a place is held for whom it is offered to.",
    )
    waiting_first_come_hours = IntegerField(
        "First to answer, from so many hours before the start",
        [InputRequired("Please say from how many hours before the start on; 0 for never."), NumberRange(0, 24 * 90)],
        description="From then on a place that comes free goes to whoever on the list answers first. 0 for never.",
    )
