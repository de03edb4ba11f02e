"""What organisers type about a ticket that is paid in parts: a deposit, and instalments with their days."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from wtforms import DateField, StringField
from wtforms.validators import Length, Optional

from courses import deposits, tickets
from courses.deposits import Deposit, Part
from courses.models import TicketType
from lib import money
from lib.forms import Form, one_line

MOST = 6  # rows on the page; a ticket that has more keeps them


class PartForm(Form):
    """One instalment. Neither a day nor an amount means there is none."""

    due_on = DateField("Due on", [Optional()])
    amount = StringField("Amount", [Length(max=20)], [one_line])

    @property
    def is_given(self) -> bool:
        return bool(self.due_on.data or self.amount.data)


def problems(
    deposit: Any, given: Sequence[PartForm], prices: Mapping[str, tickets.Price], last_day: date | None
) -> Iterator[tuple[Any, str]]:
    """The fields that are to be put right, each with a sentence; `prices` are the ticket's by currency."""
    if not deposit.data:
        yield deposit, "Instalments follow a deposit: please give what is paid at once, or leave them empty."
        return
    missing: list[tuple[Any, str]] = []
    missing += [(each.due_on, "Please give its day.") for each in given if not (each.due_on.data or each.due_on.errors)]
    missing += [(each.amount, "Please give its amount.") for each in given if not each.amount.data]
    yield from missing
    currency = next(iter(prices), "GBP")
    wrong = [
        (field, said) for field in (deposit, *(each.amount for each in given)) if (said := _unread(field, currency))
    ]
    yield from wrong
    if missing or wrong or any(each.due_on.errors for each in given):
        return
    whole = read(deposit, given, currency)
    for number, sentence in deposits.faults(whole, [(code, each.minor) for code, each in prices.items()], last_day):
        yield deposit if number is None else given[number].amount, sentence


def read(deposit: Any, given: Sequence[PartForm], currency: str) -> Deposit:
    """The parts of a form that was found right."""
    rows = tuple(
        Part(each.due_on.data, money.parse(each.amount.data or "", currency)) for each in given if each.due_on.data
    )
    return Deposit(money.parse(deposit.data, currency), rows)


def typed(ticket: TicketType) -> dict[str, Any]:
    """The parts of a ticket as they were typed."""
    parts = deposits.read(ticket.terms) if ticket.payment == deposits.PAYMENT else None
    if parts is None or not ticket.prices:
        return {}
    currency = ticket.prices[0].currency
    rows = [{"due_on": each.due_on, "amount": money.plain(each.minor, currency)} for each in parts.instalments]
    return {"deposit": money.plain(parts.deposit_minor, currency), "instalments": rows}


def columns(parts: Deposit | None, ticket: TicketType | None) -> dict[str, Any]:
    """What of a ticket's columns changes with its parts."""
    others = {name: value for name, value in (ticket.terms if ticket else {}).items() if name not in _OWN}
    if parts:
        return {"payment": deposits.PAYMENT, "terms": {**others, **parts.terms()}}
    return {"payment": "now", "terms": others} if ticket and ticket.payment == deposits.PAYMENT else {}


_OWN = ("deposit_minor", "instalments")


def _unread(field: Any, currency: str) -> str:
    try:
        if field.data:
            money.parse(field.data, currency)
    except ValueError as problem:
        return str(problem)
    return ""
