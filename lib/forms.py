"""What every form does with what people type."""

import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar

import wtforms
from email_validator import EmailNotValidError, validate_email
from wtforms.validators import ValidationError

from lib import zones

LONGEST_EMAIL = 254


def one_line(text: str | None) -> str:
    """`text` with line breaks, tabs and other control characters as single spaces, trimmed.

    Such characters would become new lines of a letter's head or of a calendar (RFC 5322 2.2, RFC 5545 3.1). Invisible
    direction and zero-width marks go too: they make two names that look the same differ.
    """
    cleaned = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in text or "")
    cleaned = "".join(c for c in cleaned if c not in _INVISIBLE)
    return " ".join(cleaned.split())


_INVISIBLE = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


def email(text: str | None) -> str:
    """An address as it is stored: checked (RFC 5322 by email-validator, no network), lower-case, one line.

    Raises ValueError with a sentence for the person who typed it.
    """
    typed = (text or "").strip()
    if not typed:
        raise ValueError("Please give an email address.")
    try:
        found = validate_email(typed, check_deliverability=False, strict=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError(
            f"“{one_line(typed)[:80]}” is not a whole email address. One looks like ines@example.org."
        ) from None
    if len(found.normalized) > LONGEST_EMAIL:
        raise ValueError("This address is longer than an email address can be (254 characters).")
    return found.normalized.lower()


def person_of(address: str) -> str:
    """The person behind a stored address, for limits per person: letter case and +tags do not make a new one."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


class Email:
    """A field's validator: replaces the typed text by the stored form of the address, or by what can be shown again."""

    def __call__(self, _form: Any, field: Any) -> None:
        field.data = one_line(field.data)
        try:
            field.data = email(field.data)
        except ValueError as problem:
            raise ValidationError(str(problem)) from problem


class KnownZone:
    """A field's validator: the text names a zone of the IANA list, old names included."""

    def __call__(self, _form: Any, field: Any) -> None:
        if not zones.is_zone(field.data or ""):
            raise ValidationError(
                "We do not know this time zone. Please choose one from the list, such as Europe/London."
            )


class Sentences:
    """What WTForms itself finds wrong, in the words our own checks use: it asks here before it speaks."""

    _said: ClassVar[Mapping[str, str]] = {
        "Not a valid integer value.": "Please write a whole number, in figures.",
        "Not a valid date value.": "Please give a date, such as 2027-05-28.",
        "Not a valid time value.": "Please give a time, such as 19:30.",
        "Not a valid choice.": "Please choose one from the list.",
        "'%(value)s' is not a valid choice for this field.": "Please choose from the list; “%(value)s” is not in it.",
        "'%(value)s' are not valid choices for this field.": "Please choose from the list; “%(value)s” are not in it.",
        "Number must be between %(min)s and %(max)s.": "Please give a number from %(min)s to %(max)s.",
        "Field cannot be longer than %(max)d character.": "Please shorten this to one character.",
        "Field cannot be longer than %(max)d characters.": "Please shorten this to %(max)d characters.",
    }

    def gettext(self, text: str) -> str:
        return self._said.get(text, text)

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)


class InOurWords:
    """A form's Meta: its errors are `Sentences`."""

    _sentences = Sentences()

    def get_translations(self, _form: object) -> Sentences:
        return self._sentences


class Form(wtforms.Form):
    """The base of our forms."""

    class Meta(InOurWords):
        pass
