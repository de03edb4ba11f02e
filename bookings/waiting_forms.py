"""What people type who wait: to join a list, to ask for another number, to take what is held for them."""

from typing import Any

from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from bookings.forms import LONGEST_NAME
from courses.catalogue import Offer
from lib.forms import Email, Form, KnownZone, one_line

HOW_MANY = "Please say how many places."


class WaitingForm(Form):
    """Who would like to come, and how many of them."""

    name = StringField("Your name", [DataRequired("Please give your name."), Length(max=LONGEST_NAME)], [one_line])
    email = StringField("Your email address", [Email()])
    ticket_type = SelectField("Which ticket?", validators=[InputRequired("Please choose a ticket.")])
    places = IntegerField("How many places?", default=1)
    zone = StringField("Write times in our letters for", [KnownZone()], [one_line])


class WishForm(Form):
    """How many places somebody waits for, and whether fewer would do."""

    places = IntegerField("How many places?")
    takes_fewer = BooleanField("Offer me fewer, if they are of no use to anybody else")


class AcceptForm(Form):
    """How many of the places that are held somebody takes."""

    number = SelectField("How many of them?", coerce=int)


def joining(offers: list[Offer], most: int, typed: Any = None, zone: str = "") -> WaitingForm:
    """The form for these tickets; the first that is full is chosen."""
    full = next((each for each in offers if each.is_full), offers[0])
    form = WaitingForm(typed, zone=zone, ticket_type=full.ticket.code)
    form.ticket_type.choices = [(each.ticket.code, each.ticket.name) for each in offers]
    form.places.validators = _number(most)
    return form


def wish(most: int, typed: Any = None, **now: Any) -> WishForm:
    form = WishForm(typed, **now)
    form.places.validators = _number(most)
    return form


def accepting(choices: list[int], typed: Any = None) -> AcceptForm:
    """All of them are chosen unless something else is typed."""
    form = AcceptForm(typed, number=choices[-1])
    form.number.choices = [(each, str(each)) for each in choices]
    return form


def _number(most: int) -> list[Any]:
    return [InputRequired(HOW_MANY), NumberRange(1, most, f"Please ask for between 1 and {most}.")]
