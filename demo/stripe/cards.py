"""The numbers that the pay page takes, and what each of them does."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """Why a bank said no, in Stripe's codes."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    """A test card."""

    number: str
    brand: str
    about: str
    refusal: Refusal | None = None
    asks: bool = False
    refund_starts: str = "succeeded"
    refund_ends: str = "succeeded"


@dataclass(frozen=True)
class BankAccount:
    """A bank account whose debit takes days; `pays` says how that ends when nobody says otherwise."""

    number: str
    about: str
    pays: bool


def _declined(decline_code: str, message: str) -> Refusal:
    return Refusal("card_declined", decline_code, message)


CARDS = (
    Card("4242424242424242", "visa", "pays at once"),
    Card("5555555555554444", "mastercard", "pays at once"),
    Card(
        "4000000000000002",
        "visa",
        "is declined",
        _declined("generic_decline", "Your card was declined."),
    ),
    Card(
        "4000000000009995",
        "visa",
        "has insufficient funds",
        _declined("insufficient_funds", "Your card has insufficient funds."),
    ),
    Card(
        "4000000000000069",
        "visa",
        "has expired",
        Refusal("expired_card", None, "Your card has expired."),
    ),
    Card("4000002500003155", "visa", "asks for a 3-D Secure step, then pays", asks=True),
    Card("4000002760003184", "visa", "asks for a 3-D Secure step, then pays", asks=True),
    Card(
        "4000008400001629",
        "visa",
        "asks for a 3-D Secure step, then is declined",
        _declined("generic_decline", "Your card was declined."),
        asks=True,
    ),
    Card(
        "4000000000007726",
        "visa",
        "pays; a refund stays pending for a while",
        refund_starts="pending",
    ),
    Card(
        "4000000000005126",
        "visa",
        "pays; a refund fails after a while",
        refund_ends="failed",
    ),
)
BANK_ACCOUNTS = (
    BankAccount("pay_later", "pays by bank debit, days later", pays=True),
    BankAccount("pay_later_fail", "tries a bank debit that fails days later", pays=False),
    BankAccount("GB82 WEST 1234 5698 7654 32", "pays by bank debit, days later", pays=True),
    BankAccount("GB00 FAIL 1234 5698 7654 32", "tries a bank debit that fails days later", pays=False),
    BankAccount("000123456789", "pays by bank debit, days later", pays=True),
    BankAccount("000111111116", "tries a bank debit that fails days later", pays=False),
)


def _bare(number: str) -> str:
    return re.sub(r"[\s-]", "", number).upper()


_BY_NUMBER: dict[str, Card | BankAccount] = {_bare(m.number): m for m in (*CARDS, *BANK_ACCOUNTS)}


def means(number: str) -> Card | BankAccount | None:
    """What a typed number stands for, whatever its spaces; None if it is no test number."""
    return _BY_NUMBER.get(_bare(number))


def in_fours(number: str) -> str:
    """A card's number as people write it."""
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4)) if number.isdigit() else number
