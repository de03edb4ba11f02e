"""What a card can be charged at the least, and in which currencies prices may be given."""

from lib import money

# Minimum charge amounts, in minor units (https://docs.stripe.com/currencies, "Minimum and maximum charge amounts").
# KWD and ZAR are not among them: theirs is what the least of the account's own currency comes to, rounded up here.
LEAST = {
    "USD": 50, "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50,
    "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50,
    "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "ZAR": 1500, "KWD": 250,
}  # fmt: skip


def least(currency: str) -> int:
    """The smallest amount Stripe charges in a currency, in minor units."""
    return LEAST.get(currency, 50)


def not_chargeable(minor: int, currency: str) -> str:
    """What is wrong with a price that Stripe would refuse, in a sentence; empty when nothing is. Nothing is a price."""
    if minor == 0:
        return ""
    if minor < least(currency):
        said = money.text(least(currency), currency)
        return f"Stripe takes {said} at the least. Ask for that or more, or for nothing."
    if minor % money.step(currency):
        return f"Cards are charged in {currency} with a nought as the third decimal. Please round the price."
    return ""


def not_sold_in(currency: str) -> str:
    """Why no price can be given in a currency; empty when one can."""
    if currency in LEAST:
        return ""
    return f"We do not know the currency “{currency}”, or nothing can be sold in it here. Use one such as GBP or EUR."
