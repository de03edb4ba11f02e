"""The desk's words for what is kept."""

from organisers import words
from tests.mail.values import VALUES

# To people who sign in or ask for news, never about a booking or a place.
OF_ACCOUNTS = {"invitation", "my_links", "newsletter_confirm", "newsletter_welcome", "password", "sign_in"}


def test_every_letter_about_a_booking_has_a_name() -> None:
    assert sorted(VALUES.keys() - OF_ACCOUNTS - words.LETTERS.keys()) == []
    assert sorted(words.LETTERS.keys() - VALUES.keys()) == []
