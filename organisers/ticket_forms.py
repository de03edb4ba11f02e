"""What organisers type about what is sold: tickets and prices, pools, questions, codes."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from babel.numbers import list_currencies
from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    FormField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from courses import publishing
from lib import money, zones
from lib.forms import Form, one_line
from organisers.choices import options

KINDS = (("admission", "A place in the live sessions"), ("catch_up", "The recording only"))
QUESTIONS = (("text", "A few words"), ("choice", "One of some answers"), ("tick", "A box to tick"))
SECOND = timedelta(seconds=1)


class PriceForm(Form):
    """A price in one currency; no amount means it is not sold in that."""

    currency = StringField("Currency", [Length(max=3)], [lambda text: one_line(text).upper()])
    amount = StringField("Price", [Length(max=20)], [one_line])

    def validate_amount(self, field: Any) -> None:
        if not field.data:
            return
        currency = self.currency.data or ""
        if currency not in list_currencies():
            raise ValidationError(f"We do not know the currency “{currency}”. Use its three letters, such as GBP.")
        try:
            minor = money.parse(field.data, currency)
        except ValueError as problem:
            raise ValidationError(str(problem)) from problem
        if wrong := publishing.too_small(minor, currency):
            raise ValidationError(wrong)


class TicketForm(Form):
    """A way to take part, and what it costs."""

    name = StringField("Name", [InputRequired("Please give it a name."), Length(max=120)], [one_line])
    hint = StringField("Who it is for", [Length(max=200)], [one_line])
    kind = SelectField("What it is", choices=options(KINDS), default="admission")
    prices = FieldList(FormField(PriceForm), min_entries=4)
    seats = IntegerField(
        "People on one price",
        [InputRequired("Please give a number."), NumberRange(1, 20)],
        default=1,
        description="1, or 2 for a pair that shares one price.",
    )
    includes_recording = BooleanField("The recording is included", default=True)
    is_full_price = BooleanField("This is the full price that codes and comparisons refer to")
    pools = SelectMultipleField("Places come from")
    sessions = SelectMultipleField("Only these sessions", description="None ticked: all of them.")
    limited_to = IntegerField(
        "At most this many of this ticket",
        [Optional(), NumberRange(1, 100_000)],
        description="Empty: as many as there are places.",
    )
    sold_from = DateField("On sale from", [Optional()], description="Empty: at once.")
    sold_until = DateField(
        "On sale to the end of",
        [Optional()],
        description="Empty: until the live sessions begin; a recording, for as long as it can be watched.",
    )
    is_hidden = BooleanField("Hide it: nobody can choose it any more")

    def validate_pools(self, field: Any) -> None:
        if self.kind.data == "admission" and not field.data:
            raise ValidationError("A place comes from somewhere: please tick at least one pool.")

    def validate_prices(self, field: Any) -> None:
        currencies = [entry.form.currency.data for entry in field.entries if entry.form.amount.data]
        if not currencies:
            raise ValidationError("Please give a price in at least one currency; 0 if it is free.")
        if len(set(currencies)) < len(currencies):
            raise ValidationError("A currency is there twice. One price each, please.")

    def validate_sold_until(self, field: Any) -> None:
        if self.sold_from.data and field.data and field.data < self.sold_from.data:
            raise ValidationError("The sale ends before it begins.")

    @property
    def amounts(self) -> dict[str, int]:
        """The prices in minor units, by currency."""
        rows = [entry.form for entry in self.prices.entries if entry.form.amount.data]
        return {str(row.currency.data): money.parse(str(row.amount.data), str(row.currency.data)) for row in rows}


class PoolForm(Form):
    """Places that run out together."""

    name = StringField("Name", [InputRequired("Please give it a name."), Length(max=40)], [one_line])
    capacity = IntegerField("Places", [InputRequired("Please give a number."), NumberRange(0, 100_000)])


class CapacityForm(Form):
    """How many places a pool has."""

    capacity = IntegerField("Places", [InputRequired("Please give a number."), NumberRange(0, 100_000)])


class QuestionForm(Form):
    """What each attendee is asked."""

    label = StringField("Question", [InputRequired("Please write the question."), Length(max=200)], [one_line])
    kind = SelectField("Answered by", choices=options(QUESTIONS))
    choices = TextAreaField("Answers to choose from", description="One on each line; only for a choice.")
    is_required = BooleanField("It has to be answered")
    is_private = BooleanField("Private: read only by those who need it, erased 30 days after")

    def validate_choices(self, field: Any) -> None:
        if self.kind.data == "choice" and len(self.answers) < 2:
            raise ValidationError("Please give at least two answers, one on each line.")

    @property
    def answers(self) -> list[str]:
        return [found for each in (self.choices.data or "").splitlines() if (found := one_line(each))]


class CodeForm(Form):
    """A discount code and its limits. Days are the organiser's."""

    code = StringField("Code", [InputRequired("Please give the code."), Length(max=40)], [one_line])
    percent = IntegerField("Percent off", [InputRequired("Please give the percent."), NumberRange(1, 100)])
    valid_from = DateField("From", [Optional()], description="Empty: at once.")
    valid_until = DateField(
        "To the end of", [Optional()], description="To the last second of that day. Empty: for ever."
    )
    tickets = SelectMultipleField("Only for these tickets", description="None ticked: for every ticket.")
    uses_total = IntegerField("Uses in all", [Optional(), NumberRange(0, 1_000_000)], description="Empty: no limit.")
    uses_per_person = IntegerField(
        "Uses per person", [Optional(), NumberRange(1, 1000)], description="Empty: no limit."
    )

    def validate_code(self, field: Any) -> None:
        if not re.fullmatch(r"[^\W_]+(?:[-_][^\W_]+)*", "".join((field.data or "").split())):
            raise ValidationError("Letters, figures and hyphens, please: a code is typed off a leaflet.")

    def validate_valid_until(self, field: Any) -> None:
        if self.valid_from.data and field.data and field.data < self.valid_from.data:
            raise ValidationError("It ends before it begins.")


def first_moment(on: date | None, zone: str) -> datetime | None:
    """The first instant of a day in a zone; where the clocks skip midnight, the first one after."""
    if on is None:
        return None
    try:
        return zones.instant(datetime.combine(on, time()), zone)
    except zones.TimeSkipped as gap:
        return zones.instant(gap.until, zone)


def last_second(on: date | None, zone: str) -> datetime | None:
    """The last second of a day in a zone."""
    following = first_moment(on + timedelta(days=1), zone) if on else None
    return following - SECOND if following else None


def end_of(on: date | None, zone: str) -> datetime | None:
    """The instant at which a day is over in a zone."""
    return first_moment(on + timedelta(days=1), zone) if on else None


def day_of(at: datetime | None, zone: str) -> date | None:
    """The day of an instant in a zone."""
    return zones.wall(at, zone).date() if at else None


def last_day(at: datetime | None, zone: str) -> date | None:
    """The day whose end an instant is."""
    return zones.wall(at - SECOND, zone).date() if at else None
