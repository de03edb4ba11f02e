"""What organisers type about courses, workshops and their times."""

from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from courses import search
from courses.catalogue import FORMATS
from courses.schedule import Meeting
from lib import forms, zones
from lib.forms import Form, one_line
from organisers import times
from organisers.choices import options
from organisers.times import Typed

TOPICS = (("", "No topic of its own"), *search.TOPICS.items())
MOST_SESSIONS = 60
COUNTED_FROM = (
    ("published", "Its publication"),
    ("each session published", "Each session's own publication"),
    ("last session", "The end of the last session"),
    ("purchase", "The booking, or publication where that is later"),
)
LONG = Length(max=20_000, message="This is longer than 20,000 characters. Please shorten it.")


def stripped(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()


class ZoneField(StringField):
    """A zone chosen by its city. Old names (Europe/Kiev) are taken too, kept as they are and shown by their city."""

    def __init__(self, label: str, **more: Any) -> None:
        super().__init__(label, [forms.KnownZone()], [one_line], **more)

    @property
    def offered(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Zones and their cities by region, the one chosen before always among them."""
        regions = [(region, [(name, zones.city(name)) for name in names]) for region, names in zones.regions()]
        known = {name for _, names in regions for name, _ in names}
        chosen = self.data or ""
        if chosen in known or not zones.is_zone(chosen):
            return regions
        return [("As chosen before", [(chosen, f"{zones.city(chosen)} ({chosen})")]), *regions]


class CourseForm(Form):
    """What is taught."""

    title = StringField("Title", [InputRequired("Please give it a title."), Length(max=200)], [one_line])
    summary = StringField(
        "Summary",
        [InputRequired("Please say in a sentence or two what it is about."), Length(max=500)],
        [one_line],
        description="A sentence or two for the catalogue.",
    )
    description = TextAreaField(
        "Description", [LONG], [stripped], description="Markdown: a blank line between paragraphs."
    )
    audience = TextAreaField("Who it is for", [LONG], [stripped])
    outcomes = TextAreaField("What people can do afterwards", [LONG], [stripped], description="One on each line.")
    topic = SelectField("Topic, for its cover", choices=options(TOPICS), default="")


class WorkshopForm(Form):
    """Texts and settings of a workshop; its times are elsewhere."""

    title = StringField("Title", [InputRequired("Please give it a title."), Length(max=200)], [one_line])
    format = SelectField("Format", choices=options(FORMATS.items()))
    venue_name = StringField("Venue", [Length(max=200)], [one_line], description="Only when people come to a room.")
    venue_address = StringField("Address of the venue", [Length(max=300)], [one_line])
    venue_access = TextAreaField("Access to the venue", [LONG], [stripped])
    presenters = TextAreaField("Presenters", [LONG], [stripped], description="A name on each line.")
    cpd_minutes = IntegerField(
        "CPD minutes", [InputRequired("Please give the minutes, 0 if none."), NumberRange(0, 100_000)]
    )
    breaks_minutes = IntegerField(
        "Minutes of breaks in a day", [InputRequired("Please give 0 if none."), NumberRange(0, 1440)]
    )
    most_attendees = IntegerField(
        "Most people in one booking", [InputRequired("Please give a number."), NumberRange(1, 20)]
    )
    programme = TextAreaField("Programme", [LONG], [stripped], description="With its breaks, a line each.")
    access = TextAreaField("Access", [LONG], [stripped], description="Captions, breaks, steps, toilets.")
    policy = SelectField(
        "Policy for changed plans",
        default="",
        description="What people get back. Who has booked keeps what they booked under.",
    )
    cancellation_terms = TextAreaField(
        "More about changed plans", [LONG], [stripped], description="Stands below the words that the policy makes."
    )
    catch_up_offered = BooleanField("Those who miss it can watch the recording")
    catch_up_days = IntegerField("Days to watch it", [InputRequired("Please give the days."), NumberRange(1, 366)])
    catch_up_from = SelectField(
        "Counted from",
        choices=options(COUNTED_FROM),
        default="published",
        description="What is published already keeps its days.",
    )
    catch_up_note = StringField("What is left out of the recording", [Length(max=300)], [one_line])
    late_buyers_share = BooleanField("Who buys late shares everybody's days")
    one_at_a_time = BooleanField("A recording plays on one device at a time for each place")
    join_opens_minutes = IntegerField(
        "The door opens, minutes before", [InputRequired("Please give the minutes."), NumberRange(0, 1440)]
    )
    reminders = StringField(
        "Reminders, in hours before a session",
        [],
        [one_line],
        description="Separated by commas, such as 168, 24, 1. Empty for none.",
    )

    def validate_reminders(self, field: Any) -> None:
        try:
            hours = [int(each) for each in (field.data or "").split(",") if each.strip()]
        except ValueError:
            raise ValidationError("Please write whole hours, separated by commas: 168, 24, 1.") from None
        if any(not 0 < each <= 24 * 60 for each in hours):
            raise ValidationError("A reminder comes between 1 hour and 60 days before.")

    def validate_venue_name(self, field: Any) -> None:
        if self.format.data in ("room", "hybrid") and not field.data:
            raise ValidationError("People come to a room: please say where it is.")

    @property
    def reminder_minutes(self) -> list[int]:
        return [int(each) * 60 for each in (self.reminders.data or "").split(",") if each.strip()]


class TimesForm(Form):
    """One session: a day, two times, and which of two when the clocks go back over one."""

    id = HiddenField(default="")
    day = DateField("Date", [InputRequired("Please give the date.")])
    starts = TimeField("Starts", [InputRequired("Please give the time it starts.")], ["%H:%M", "%H:%M:%S"])
    ends = TimeField("Ends", [InputRequired("Please give the time it ends.")], ["%H:%M", "%H:%M:%S"])
    title = StringField("What it is about", [Length(max=200)], [one_line])
    recorded = BooleanField("Recorded")
    which_start = SelectField("Which start", choices=options(times.WHICH), default="")
    which_end = SelectField("Which end", choices=options(times.WHICH), default="")

    @property
    def typed(self) -> Typed | None:
        """The session as typed, once date and times can be read."""
        if self.day.data is None or self.starts.data is None or self.ends.data is None:
            return None
        return Typed(
            self.day.data,
            self.starts.data,
            self.ends.data,
            self.title.data or "",
            bool(self.recorded.data),
            self.which_start.data or "",
            self.which_end.data or "",
        )

    def meeting(self, zone: str) -> Meeting:
        """The session, once `check` has found nothing against it."""
        if self.typed is None:
            raise ValueError("A session needs its date and its times.")
        return times.meeting(self.typed, zone)

    def check(self, zone: str) -> bool:
        """Whether the times exist in the zone; what is wrong is written to the fields."""
        if self.typed is None:
            return False
        found = times.problems(self.typed, zone)
        for name, sentence in found.items():
            self[name].errors = [*self[name].errors, sentence]
        return not found

    def says(self, zone: str) -> str:
        """The times in three zones, for the page."""
        return times.said(self.typed, zone) if self.typed and zones.is_zone(zone) else ""

    def asks(self, zone: str) -> tuple[bool, bool]:
        """Whether to ask which start and which end is meant."""
        return times.is_twice(self.typed, zone) if self.typed and zones.is_zone(zone) else (False, False)


class ScheduleForm(Form):
    """All sessions of a workshop, in the zone they are taught in."""

    zone = ZoneField("Taught in", description="The city whose clocks you go by. Every time below is its time.")
    sessions = FieldList(FormField(TimesForm), max_entries=MOST_SESSIONS)

    def is_right(self) -> bool:
        """Validate, and check every time against the zone."""
        is_valid = self.validate()
        zone = self.zone.data or ""
        if not zones.is_zone(zone):
            return False
        checked = [entry.form.check(zone) for entry in self.sessions.entries]
        if not checked:
            self.zone.errors = ["A workshop needs at least one session."]
        return is_valid and bool(checked) and all(checked)


class NewWorkshopForm(TimesForm):
    """The first things about a workshop: its course, its format and its first session."""

    course = SelectField("Course")
    format = SelectField("Format", choices=options(FORMATS.items()))
    zone = ZoneField("Taught in", description="The city whose clocks you go by.")
    places = IntegerField(
        "Places", [InputRequired("Please say how many people can come."), NumberRange(1, 100_000)], default=20
    )


class WhyForm(Form):
    """Why something does not take place, as people will read it."""

    why = StringField(
        "What people are told",
        [InputRequired("Please say why, in a sentence."), Length(max=500)],
        [one_line],
        description="A sentence that goes into every letter.",
    )


class CloneForm(Form):
    """How much later the copy is."""

    days = IntegerField(
        "Days later",
        [InputRequired("Please say how many days later."), NumberRange(-3660, 3660)],
        default=364,
        description="28 is four weeks, 364 the same weekday next year.",
    )


class MeetingForm(Form):
    """The pasted link of a meeting, and how to get in by telephone."""

    url = StringField("Meeting link", description="The whole link, beginning with https://.")
    phone_numbers = TextAreaField("Telephone numbers", description="One on each line, for those whose computer fails.")
    passcode = StringField("Passcode for the telephone")
    for_all = BooleanField("Use it for every session that has no link yet")
