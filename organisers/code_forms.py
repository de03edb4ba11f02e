"""What organisers type about a discount code."""

from typing import Any

from wtforms import BooleanField, DateField, IntegerField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from bookings import discounts
from courses import least
from lib import forms, money
from lib.forms import Form, one_line
from organisers.choices import options

KINDS = (
    ("percent", "A percentage off"),
    ("amount", "An amount off the whole booking"),
    ("fixed", "A fixed price for each place"),
)
# The columns a form's fields are kept in under the same name.
PLAIN = (
    *("kind", "full_price_only", "first_online_only", "covers", "least_people", "re_rate_on_cancellation", "stacks"),
    *("is_automatic", "uses_total", "uses_per_person"),
)
AMOUNTS = ("minor", "least_order_minor", "budget_minor")


def line(text: str | None) -> str:
    return one_line(text)


class CodeForm(Form):
    """A discount code and its limits. Days are the organiser's, amounts in the code's currency."""

    code = StringField("Code", [InputRequired("Please give the code."), Length(max=40)], [one_line])
    kind = SelectField("What it gives", choices=options(KINDS), default="percent")
    percent = IntegerField("Percent off", [Optional(), NumberRange(1, 100)])
    minor = StringField("Amount off, or the fixed price", [Length(max=20)], [one_line])
    currency = StringField("Currency of its amounts", [Length(max=3)], [lambda text: one_line(text).upper()])
    valid_from = DateField("From", [Optional()], description="Empty: at once.")
    valid_until = DateField(
        "To the end of", [Optional()], description="To the last second of that day. Empty: for ever."
    )
    full_price_only = BooleanField("Only for full-price tickets")
    tickets = SelectMultipleField("Only for these tickets", description="None ticked: for every ticket.")
    workshops = SelectMultipleField("Only for these dates", description="None ticked: for every date.")
    courses = SelectMultipleField("Only for these courses", description="None ticked: for every course.")
    topics = SelectMultipleField("Only for these topics", description="None ticked: for every topic.")
    bundles = SelectMultipleField(
        "For these bundles",
        description="A bundle costs less already, so a code counts for one only if it is ticked here. With nothing "
        "ticked above, the code is for these bundles alone.",
    )
    least_people = IntegerField(
        "People on one booking, at the least",
        [InputRequired("Please give a number."), NumberRange(1, 100)],
        default=1,
    )
    re_rate_on_cancellation = BooleanField(
        "When people cancel and fewer stay than that, those who stay lose the discount"
    )
    least_order_minor = StringField("Only for bookings of at least", [Length(max=20)], [one_line])
    covers = IntegerField(
        "Places of one booking it counts for", [Optional(), NumberRange(1, 100)], description="Empty: all of them."
    )
    uses_total = IntegerField("Uses in all", [Optional(), NumberRange(0, 1_000_000)], description="Empty: no limit.")
    uses_per_person = IntegerField(
        "Uses per person", [Optional(), NumberRange(1, 1000)], description="Empty: no limit."
    )
    budget_minor = StringField("It may give away in all", [Length(max=20)], [one_line], description="Empty: no limit.")
    person = StringField(
        "Only for the person with this address", [Length(max=254)], [one_line], description="Empty: for whoever has it."
    )
    first_online_only = BooleanField("Only for a person's first online event with you")
    stacks = BooleanField("It may be added to others that may be added as well")
    is_automatic = BooleanField("It counts by itself: nobody has to type it")

    def validate_code(self, field: Any) -> None:
        if not discounts.fold(field.data) or not all(each.isalnum() or each in " -_" for each in field.data):
            raise ValidationError("Letters, figures and hyphens, please: a code is typed off a leaflet.")

    def validate(self, extra_validators: Any = None) -> bool:
        """A percent that is empty is asked for here: where a field may be empty its own validators end with that."""
        is_valid = super().validate(extra_validators)
        if self.kind.data == "percent" and self.percent.data is None and not self.percent.errors:
            self.percent.errors = ["Please give the percent."]
            return False
        return is_valid

    def validate_minor(self, field: Any) -> None:
        if self.kind.data == "percent" and field.data:
            raise ValidationError("A percentage needs no amount. Please leave this empty.")
        if self.kind.data != "percent" and not field.data:
            raise ValidationError("Please give the amount.")
        minor = self.amount("minor")
        if self.kind.data == "amount" and minor == 0:
            raise ValidationError("An amount of nothing takes nothing off.")
        if self.kind.data == "fixed" and minor and (wrong := least.not_chargeable(minor, self.currency.data or "")):
            raise ValidationError(wrong)

    def validate_currency(self, field: Any) -> None:
        if any(self[name].data for name in AMOUNTS) and (wrong := least.not_sold_in(field.data or "")):
            raise ValidationError(wrong)

    def validate_least_order_minor(self, _field: Any) -> None:
        self.amount("least_order_minor")

    def validate_budget_minor(self, _field: Any) -> None:
        self.amount("budget_minor")

    def validate_valid_until(self, field: Any) -> None:
        if self.valid_from.data and field.data and field.data < self.valid_from.data:
            raise ValidationError("It ends before it begins.")

    def validate_re_rate_on_cancellation(self, field: Any) -> None:
        if field.data and (self.least_people.data or 1) < 2:
            raise ValidationError("Nothing can be lost where one person is enough.")
        if field.data and self.bundles.data:
            raise ValidationError("Places of a bundle are given up one by one, so nothing can be lost there.")

    def validate_person(self, field: Any) -> None:
        if not field.data:
            return
        try:
            field.data = forms.person_of(forms.email(field.data))
        except ValueError as problem:
            raise ValidationError(str(problem)) from problem

    def amount(self, name: str) -> int | None:
        """An amount that was typed, in minor units. Raises ValidationError."""
        currency = self.currency.data or ""
        if not self[name].data or least.not_sold_in(currency):
            return None
        try:
            minor = money.parse(self[name].data, currency)
        except ValueError as problem:
            raise ValidationError(str(problem)) from problem
        if minor % money.step(currency):
            raise ValidationError(f"Cards are charged in {currency} with a nought as the third decimal.")
        return minor
