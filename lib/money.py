"""Money is integers in minor units beside a currency; decimals exist only on the way to a page."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_precision

LOCALE = "en_GB"


def exponent(currency: str) -> int:
    """How many digits the currency's minor unit has (ISO 4217): GBP 2, JPY 0, KWD 3."""
    return get_currency_precision(currency.upper())


@lru_cache(maxsize=4096)
def text(minor: int, currency: str) -> str:
    """The amount as people read it: £105.00, US$95.00, JP¥24,000."""
    amount = Decimal(minor).scaleb(-exponent(currency))
    return format_currency(amount, currency.upper(), locale=LOCALE)


def percent_of(minor: int, percent: int) -> int:
    """`percent` of `minor`, rounded half up, once. For amounts that are not negative."""
    if minor < 0 or percent < 0:
        raise ValueError("percent_of is for amounts of nothing or more")
    return (minor * percent + 50) // 100


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights` by largest remainder; the parts add up to `total` exactly.

    Ties go to the earlier part. With all weights 0 the total must be 0. Raises ValueError otherwise.
    """
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("nothing to spread the amount over")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
