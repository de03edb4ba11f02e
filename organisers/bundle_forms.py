"""What organisers type about a bundle."""

from typing import Any

from wtforms import DateField, FieldList, FormField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from courses import bundles, least
from lib import money
from lib.forms import Form, one_line

LONG = Length(max=5000, message="This is longer than 5,000 characters. Please shorten it.")


def _stripped(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()


class BundlePriceForm(Form):
    """What one person pays for all of it, in one currency. No amount means it is not sold in that."""

    currency = StringField("Currency", [Length(max=3)], [lambda text: one_line(text).upper()])
    amount = StringField("Price", [Length(max=20)], [one_line])

    def validate_currency(self, field: Any) -> None:
        if self.amount.data and (wrong := least.not_sold_in(field.data or "")):
            raise ValidationError(wrong)

    def validate_amount(self, _field: Any) -> None:
        self.minor()

    def minor(self) -> int | None:
        """The amount typed, if there is one. Raises ValidationError."""
        currency = self.currency.data or ""
        if not self.amount.data or least.not_sold_in(currency):
            return None
        try:
            minor = money.parse(self.amount.data, currency)
        except ValueError as problem:
            raise ValidationError(str(problem)) from problem
        if wrong := least.not_chargeable(minor, currency):
            raise ValidationError(wrong)
        return minor


class BundleForm(Form):
    """Several workshops for one price. `workshops` says of each ticket on offer which workshop it is of."""

    title = StringField("Title", [InputRequired("Please give it a title."), Length(max=200)], [one_line])
    about = TextAreaField("What it is about", [LONG], [_stripped], description="The first line stands under the title.")
    tickets = SelectMultipleField("Its workshops, each with the ticket it is for")
    prices = FieldList(FormField(BundlePriceForm), min_entries=3)
    sold_from = DateField("On sale from", [Optional()], description="Empty: at once.")
    sold_until = DateField(
        "On sale to the end of", [Optional()], description="Empty: until the first of its workshops begins."
    )

    workshops: dict[str, int]

    def validate_tickets(self, field: Any) -> None:
        chosen = [self.workshops[each] for each in field.data or [] if each in self.workshops]
        if len(set(chosen)) < len(chosen):
            raise ValidationError("One ticket of each workshop, please.")
        if len(chosen) < bundles.LEAST:
            raise ValidationError("Please choose at least two workshops.")
        if len(chosen) > bundles.MOST:
            raise ValidationError(f"A bundle has {bundles.MOST} workshops at most.")

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
        """The prices by currency, of a form that was found right."""
        found = {str(entry.form.currency.data): entry.form.minor() for entry in self.prices.entries}
        return {currency: minor for currency, minor in found.items() if minor is not None}
