"""How much of a credit a booking takes."""

import pytest

from bookings.credit_spending import usable


@pytest.mark.parametrize(
    ("left_minor", "due", "currency", "used"),
    [
        (0, 16800, "GBP", 0),
        (5000, 16800, "GBP", 5000),
        (16800, 16800, "GBP", 16800),
        (20000, 16800, "GBP", 16800),
        (16790, 16800, "GBP", 16770),  # Stripe takes 30p at the least
        (16770, 16800, "GBP", 16770),
        (20, 40, "GBP", 10),
        (5000, 0, "GBP", 0),
        (23990, 24000, "JPY", 23950),
        (1005, 5000, "KWD", 1000),  # the third decimal is charged as a nought
    ],
)
def test_a_credit_pays_as_much_as_leaves_something_that_can_be_charged(
    left_minor: int, due: int, currency: str, used: int
) -> None:
    assert usable(left_minor, due, currency) == used
