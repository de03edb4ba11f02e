"""What the desk types about invoices: money that came past Stripe, and what an organiser's papers say of it."""

import re
from datetime import date, datetime, time

from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError as WrongNumber
from stdnum.gb import vat as gb_vat
from wtforms import DateField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, StopValidation, ValidationError

from bookings.invoicing import Received
from lib import money, zones
from lib.forms import Form, one_line
from organisers.choices import options
from payments import by_hand

VAT_MODES = {
    "none": "We are not registered for VAT",
    "included": "Our prices include VAT",
    "exempt": "We are registered, and what we sell is exempt",
}
NOON = time(12)  # of the day on which money came, by the organiser's clock, where the hour is not known
_PERCENT = re.compile(r"(\d{1,2})(?:[.,](\d{1,2}))?\s*%?")
_NUMBER = re.compile(r"[A-Z]{2}[A-Z0-9]{2,16}")


class ReceivedForm(Form):
    """Money that came by a bank transfer or otherwise."""

    amount = StringField("Amount", [InputRequired("Please give the amount that came.")], [one_line])
    kind = SelectField("How it came", choices=options(by_hand.KINDS.items()))
    day = DateField("When it came", [InputRequired("Please give the day on which it came.")])
    reference = StringField(
        "Reference",
        [InputRequired("Please give the reference on your bank's statement, or a word for it."), Length(max=80)],
        [one_line],
        description="As on your bank's statement. It stands on the receipt.",
    )
    why = StringField(
        "How you know",
        [InputRequired("Please say how you know. It is kept in the booking's history."), Length(max=180)],
        [one_line],
        description="Kept in the booking's history.",
    )
    minor = 0

    def received(self, now: datetime, zone: str) -> Received:
        """What was typed, when it is right, at `now` by the organiser's clock."""
        today = zones.wall(now, zone).date()
        day = self.day.data or today
        at = now if day == today else zones.instant(datetime.combine(day, NOON), zone)
        return Received(self.kind.data, self.minor, at, self.reference.data or "", self.why.data or "")

    def is_right(self, currency: str, today: date) -> bool:
        """Validate, and read the amount in minor units of the currency."""
        is_right = self.validate()
        if self.amount.data and not self.amount.errors:
            try:
                self.minor = money.parse(self.amount.data, currency)
                if self.minor == 0:
                    raise ValueError("Please give an amount of more than nothing.")
            except ValueError as problem:
                self.amount.errors, is_right = [str(problem)], False
        if self.day.data and not self.day.errors and self.day.data > today:
            self.day.errors, is_right = ["That day is still to come. Please give the day on which it came."], False
        return is_right


class InvoicingForm(Form):
    """What stands on every paper from now on. Those that are issued stay as they are."""

    legal_name = StringField(
        "Name on invoices",
        [Length(max=200)],
        [one_line],
        description="Of the person or company that sells, if that is another name than yours here.",
    )
    vat_mode = SelectField("VAT", choices=options(VAT_MODES.items()))
    vat_number = StringField("VAT number", [], [one_line], description="With its country, such as GB 980 7806 84.")
    vat_percent = StringField(
        "VAT in per cent", [], [one_line], description="What is added to a price without it, such as 20."
    )
    bank_details = TextAreaField(
        "How to pay",
        [Length(max=1000)],
        description="The account that transfers go to, as it is to stand on invoices. Without it only cards can pay.",
    )
    invoice_days = IntegerField(
        "Days to pay",
        [InputRequired("Please say how many days there are to pay."), NumberRange(0, 365)],
        description="From the invoice's date, and never after the day the workshop begins.",
    )
    rate = 0

    def validate_vat_number(self, field: StringField) -> None:
        """Keep a number as it is compared, with its country. Raises ValidationError for what is none."""
        if self.vat_mode.data == "none":
            raise StopValidation
        typed = re.sub(r"[\s.-]", "", field.data or "").upper()
        if not typed:
            raise ValidationError("Please give your VAT number: it has to stand on every invoice.")
        field.data = typed
        if not _is_vat_number(typed):
            raise ValidationError("This is no VAT number: it begins with two letters for the country, such as GB.")

    def validate_vat_percent(self, field: StringField) -> None:
        """Read the percentage in hundredths. Raises ValidationError."""
        if self.vat_mode.data != "included":
            return
        found = _PERCENT.fullmatch(field.data or "")
        self.rate = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0
        if not self.rate:
            raise ValidationError("Please give the percentage in figures, such as 20 or 5.5.")


def _is_vat_number(number: str) -> bool:
    """Whether the check digits are right, where the country is known; elsewhere whether it has the shape of one."""
    try:
        if number.startswith("GB"):
            gb_vat.validate(number)
        elif number[:2].lower() in eu_vat.MEMBER_STATES:
            eu_vat.validate(number)
        return _NUMBER.fullmatch(number) is not None
    except WrongNumber:
        return False
