"""Money is integers in minor units beside a currency; decimals exist only on the way to a page."""

import re
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


def parse(typed: str, currency: str) -> int:
    """An amount as people type it ("105", "105.00", "1,050.00", "24 000"), in minor units, exactly.

    Raises ValueError with a sentence for the person who typed it.
    """
    digits = exponent(currency)
    bare = re.sub(r"(?<=\d)[ \u00a0\u202f](?=\d{3}\b)", "", typed.strip())
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", bare):
        bare = bare.replace(",", "")
    if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]+)?", bare):
        example = "24000" if digits == 0 else "105.00"
        raise ValueError(f"Please write the amount in figures, such as {example}.")
    scaled = Decimal(bare).scaleb(digits)
    if scaled != scaled.to_integral_value():
        few = "no decimals" if digits == 0 else f"at most {digits} decimals"
        raise ValueError(f"{currency.upper()} has {few}. Please write the amount with those.")
    return int(scaled)


def plain(minor: int, currency: str) -> str:
    """The amount as it is typed, without a sign: 105.00, 24000."""
    digits = exponent(currency)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f}"


def step(currency: str) -> int:
    """What every amount that is charged is a multiple of: cards take the third decimal of KWD and its like only as a
    nought (https://docs.stripe.com/currencies, three-decimal currencies)."""
    return 10 if exponent(currency) == 3 else 1


def percent_of(minor: int, percent: int, step: int = 1) -> int:
    """`percent` of `minor`, rounded half up, once, to a multiple of `step`. For amounts that are not negative."""
    if minor < 0 or percent < 0:
        raise ValueError("percent_of is for amounts of nothing or more")
    return (2 * minor * percent + 100 * step) // (200 * step) * step


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


def part_included(minor: int, rate: int) -> int:
    """How much of an amount is tax that it includes, rounded half up, once; `rate` is what the tax adds to a price
    without it, in hundredths of a per cent. For amounts that are not negative."""
    if minor < 0 or rate < 0:
        raise ValueError("part_included is for amounts of nothing or more")
    whole = 10_000 + rate
    return (2 * minor * rate + whole) // (2 * whole)
