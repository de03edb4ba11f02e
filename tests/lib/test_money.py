"""Amounts as people read them, and sums that come out exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import money


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (10500, "GBP", "£105.00"),
        (0, "GBP", "£0.00"),
        (5, "GBP", "£0.05"),
        (1234567, "GBP", "£12,345.67"),
        (9500, "USD", "US$95.00"),
        (8900, "EUR", "€89.00"),
        (24000, "JPY", "JP¥24,000"),
        (12345, "KWD", "KWD12.345"),
        (9500, "usd", "US$95.00"),
    ],
)
def test_an_amount_has_its_currency_s_own_digits(minor: int, currency: str, text: str) -> None:
    assert money.text(minor, currency) == text


def test_minor_units_by_iso_4217() -> None:
    assert [money.exponent(each) for each in ("GBP", "JPY", "KWD", "eur")] == [2, 0, 3, 2]


@pytest.mark.parametrize(
    ("minor", "percent", "off"),
    [
        (9490, 15, 1424),  # 1423.5
        (1999, 15, 300),  # 299.85 yen, so 1699 is charged
        (10500, 20, 2100),
        (10900, 25, 2725),
        (50, 1, 1),
        (49, 1, 0),
        (3333, 100, 3333),
        (3333, 0, 0),
        (0, 25, 0),
    ],
)
def test_a_percentage_is_rounded_half_up_once(minor: int, percent: int, off: int) -> None:
    assert money.percent_of(minor, percent) == off


def test_a_yen_price_less_fifteen_per_cent() -> None:
    assert 1999 - money.percent_of(1999, 15) == 1699


@pytest.mark.parametrize(("minor", "percent"), [(-1, 10), (100, -10)])
def test_a_percentage_of_less_than_nothing_is_refused(minor: int, percent: int) -> None:
    with pytest.raises(ValueError, match="nothing or more"):
        money.percent_of(minor, percent)


@given(st.integers(0, 10**12), st.integers(0, 100))
def test_a_percentage_is_never_more_than_the_amount_nor_half_a_unit_off(minor: int, percent: int) -> None:
    off = money.percent_of(minor, percent)

    assert 0 <= off <= minor
    assert abs(off * 100 - minor * percent) <= 50


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (16800, [1, 1], [8400, 8400]),
        (100, [1, 1, 1], [34, 33, 33]),
        (2, [1, 1, 1], [1, 1, 0]),
        (1000, [10500, 6500], [618, 382]),
        (5, [0, 3, 0], [0, 5, 0]),
        (0, [], []),
        (0, [0, 0], [0, 0]),
    ],
)
def test_a_sum_is_spread_by_largest_remainder_ties_to_the_earlier(
    total: int, weights: list[int], parts: list[int]
) -> None:
    assert money.spread(total, weights) == parts


@pytest.mark.parametrize("weights", [[], [0, 0]])
def test_nothing_can_carry_a_sum(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="nothing to spread"):
        money.spread(1, weights)


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**7), min_size=1, max_size=40).filter(any))
def test_the_parts_add_up_and_none_is_a_unit_from_its_share(total: int, weights: list[int]) -> None:
    parts = money.spread(total, weights)
    whole = sum(weights)

    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert total * weight // whole <= part <= -(-total * weight // whole)
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=40).filter(any), st.integers(0, 100))
def test_a_line_s_discount_spread_over_its_people_takes_no_more_than_each_pays(prices: list[int], percent: int) -> None:
    shares = money.spread(money.percent_of(sum(prices), percent), prices)

    assert all(0 <= share <= price for share, price in zip(shares, prices, strict=True))


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("105", "GBP", 10500),
        ("105.00", "GBP", 10500),
        (" 1,050.50 ", "GBP", 105050),
        ("1 050", "EUR", 105000),
        ("24000", "JPY", 24000),
        ("24,000", "JPY", 24000),
        ("1.250", "KWD", 1250),
        ("0", "GBP", 0),
        ("64.10", "GBP", 6410),
        ("145.30", "GBP", 14530),
        ("129.95", "GBP", 12995),
        ("79.35", "GBP", 7935),
    ],
)
def test_pay_06_and_pay_07_an_amount_is_read_exactly(typed: str, currency: str, minor: int) -> None:
    assert money.parse(typed, currency) == minor
    assert money.parse(money.plain(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        *((each, "GBP") for each in ("", "free", "-5", "1e3", "105.001", "1,05", "٣", "9" * 10, "NaN")),
        ("24000.5", "JPY"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_sentence(typed: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"Please write|decimals"):
        money.parse(typed, currency)


@pytest.mark.parametrize(
    ("minor", "rate", "tax"),
    [
        (12000, 2000, 2000),
        (16800, 2000, 2800),
        (100, 2000, 17),
        (1, 2000, 0),
        (10770, 770, 770),
        (500, 0, 0),
        (0, 2000, 0),
    ],
)
def test_the_tax_in_a_price_is_rounded_half_up_once(minor: int, rate: int, tax: int) -> None:
    assert money.part_included(minor, rate) == tax


def test_there_is_no_tax_in_less_than_nothing() -> None:
    for minor, rate in ((-1, 2000), (1, -1)):
        with pytest.raises(ValueError, match="nothing or more"):
            money.part_included(minor, rate)
