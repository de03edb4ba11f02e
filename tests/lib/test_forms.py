import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms import Form, StringField

from lib import forms


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (None, ""),
        ("", ""),
        ("  Ann  Attwood ", "Ann Attwood"),
        ("Ann\r\nBcc: zed@elsewhere.example", "Ann Bcc: zed@elsewhere.example"),
        ("Ann\rAttwood", "Ann Attwood"),
        ("Ann\tAttwood\x00\x07", "Ann Attwood"),
        ("Ann\u2028Attwood\u2029", "Ann Attwood"),
        ("Ann\x85Attwood", "Ann Attwood"),
        ("Ann\u00a0Attwood", "Ann Attwood"),
        ("A\u200bnn\ufeff", "Ann"),
        ("\u202eAnn\u202c", "Ann"),
        ("Zoë O’Neil-Łuczak", "Zoë O’Neil-Łuczak"),
        ("李小龍", "李小龍"),
        ("Ann \ud800", "Ann"),
    ],
)
def test_one_line(typed: str | None, kept: str) -> None:
    assert forms.one_line(typed) == kept


@given(st.text())
def test_one_line_is_one_line_whatever_comes_in(text: str) -> None:
    kept = forms.one_line(text)

    assert len(kept.splitlines()) <= 1
    assert not any(unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") for c in kept)
    assert kept == forms.one_line(kept) == kept.strip()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ann@clinic.example", "ann@clinic.example"),
        (" Ann@Clinic.EXAMPLE ", "ann@clinic.example"),
        ("ann+cpd@clinic.example", "ann+cpd@clinic.example"),
        ("o'neil@clinic.example", "o'neil@clinic.example"),
        ("ann@bücher.example", "ann@bücher.example"),
        ("first.last@sub.domain.example", "first.last@sub.domain.example"),
        ("ann@example.org", "ann@example.org"),
        ("ann@clinic.museum", "ann@clinic.museum"),
        ("a" * 65 + "@clinic.example", "a" * 65 + "@clinic.example"),  # over RFC 5321's 64, and yet in use
    ],
)
def test_addresses_that_are_kept(typed: str, kept: str) -> None:
    assert forms.email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "ann",
        "ann@",
        "@clinic.example",
        "ann@clinic",
        "ann@@clinic.example",
        "ann@clinic..example",
        ".ann@clinic.example",
        "ann clinic@example.org",
        "ann@clinic.example, bob@clinic.example",
        "Ann <ann@clinic.example>",
        "ann@clinic.example\r\nBcc: zed@elsewhere.example",
        "ann\n@clinic.example",
        "ann@[127.0.0.1]",
        "ann@" + "a" * 64 + ".example",
        "ann@" + ".".join(["a" * 60] * 5) + ".example",
    ],
)
def test_addresses_that_are_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(ValueError) as refusal:
        forms.email(typed)
    said = str(refusal.value)
    assert said.endswith(".")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("typed", [None, "", "   "])
def test_an_empty_address_is_asked_for(typed: str | None) -> None:
    with pytest.raises(ValueError, match="Please give an email address"):
        forms.email(typed)


@given(st.text(max_size=300))
def test_an_address_is_kept_in_one_form_or_refused(text: str) -> None:
    try:
        kept = forms.email(text)
    except ValueError:
        return
    assert forms.email(kept) == kept
    assert kept == forms.one_line(kept)
    assert len(kept) <= forms.LONGEST_EMAIL


@pytest.mark.parametrize(
    ("address", "person"),
    [
        ("ann@clinic.example", "ann@clinic.example"),
        ("Ann@Clinic.Example", "ann@clinic.example"),
        ("ann+cpd@clinic.example", "ann@clinic.example"),
        ("ann+cpd+again@clinic.example", "ann@clinic.example"),
        ("a.nn@clinic.example", "a.nn@clinic.example"),
        ("ann@clinic+x.example", "ann@clinic+x.example"),
    ],
)
def test_the_person_behind_an_address(address: str, person: str) -> None:
    assert forms.person_of(address) == person


class Asked(Form):
    address = StringField(validators=[forms.Email()])
    zone = StringField(validators=[forms.KnownZone()])


def test_a_field_holds_the_stored_form() -> None:
    form = Asked(MultiDict({"address": " Ann@Clinic.example", "zone": "Europe/Kiev"}))

    assert form.validate()
    assert form.address.data == "ann@clinic.example"


def test_each_field_says_what_is_wrong_with_it() -> None:
    form = Asked(MultiDict({"address": "ann", "zone": "Mars/Base"}))

    assert not form.validate()
    assert [list(errors) for errors in form.errors.values()] == [
        ["“ann” is not a whole email address. One looks like ines@example.org."],
        ["We do not know this time zone. Please choose one from the list, such as Europe/London."],
    ]
