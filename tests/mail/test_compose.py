"""From letter to bytes: MIME, heads, addresses."""

import base64
import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage, MIMEPart
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.forms import one_line
from mail.compose import AddressUnusable, Message, Parts, address, compose
from mail.models import Letter

FROM = "Colloquy <post@colloquy.example>"
CALENDAR = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Größe\r\nEND:VCALENDAR\r\n"
PARTS = Parts(subject="A place", text="Dear Zoë,\n.\n\nFrom here on.\n", html="<p>Dear Zoë</p>\n")


def a_letter(**given_values: Any) -> Letter:
    values = {
        "message_id": "<abc@colloquy.example>",
        "to_name": "Zoë",
        "to_email": "zoe@example.com",
        "from_name": "Sea Street CPD",
        "reply_to": "hello@sea-street.example",
        "posted_at": datetime(2027, 3, 2, 9, tzinfo=UTC),
        "files": [],
    }
    return Letter(**{**values, **given_values})


def parsed(message: Message) -> EmailMessage:
    return message_from_bytes(message.content, EmailMessage, policy=policy.default)


def head_of(message: Message) -> bytes:
    return message.content.partition(b"\r\n\r\n")[0]


def addressee(message: Message) -> tuple[str, str]:
    """Name and address of To. The newer parser of Python 3.11 puts a space between two encoded words of a name."""
    raw = message_from_bytes(message.content, policy=policy.compat32)["To"]
    name, email = parseaddr("".join(raw.split("\r\n")))
    return str(make_header(decode_header(name))) if name.startswith("=?") else name, email


def shape(part: MIMEPart) -> Any:
    kind = part.get_content_type()
    return (kind, [shape(each) for each in part.iter_parts()]) if part.is_multipart() else kind


def test_an_invite_is_mixed_of_alternative_and_file_to_the_byte() -> None:
    letter = a_letter(thread_id="<first@colloquy.example>", method="REQUEST", calendar=CALENDAR)
    encoded = base64.encodebytes(CALENDAR.encode()).replace(b"\n", b"\r\n")
    content = compose(letter, PARTS, FROM).content
    outer, inner = re.findall(rb'boundary="([^"]+)"', content)
    expected = (
        b"From: Sea Street CPD <post@colloquy.example>\r\n"
        b"To: =?utf-8?q?Zo=C3=AB?=\r\n <zoe@example.com>\r\n"
        b"Reply-To: Sea Street CPD <hello@sea-street.example>\r\n"
        b"Subject: A place\r\n"
        b"Date: Tue, 02 Mar 2027 09:00:00 +0000\r\n"
        b"Message-ID: <abc@colloquy.example>\r\n"
        b"In-Reply-To: <first@colloquy.example>\r\n"
        b"References: <first@colloquy.example>\r\n"
        b"Auto-Submitted: auto-generated\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="' + outer + b'"\r\n'
        b"\r\n"
        b"--" + outer + b"\r\n"
        b'Content-Type: multipart/alternative;\r\n boundary="' + inner + b'"\r\n'
        b"\r\n"
        b"--" + inner + b"\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"Dear Zo=C3=AB,\r\n=2E\r\n\r\nFrom here on.\r\n"
        b"\r\n"
        b"--" + inner + b"\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"<p>Dear Zo=C3=AB</p>\r\n"
        b"\r\n"
        b"--" + inner + b"\r\n"
        b"Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: base64\r\n"
        b"\r\n" + encoded + b"\r\n"
        b"--" + inner + b"--\r\n"
        b"\r\n"
        b"--" + outer + b"\r\n"
        b'Content-Type: text/calendar; method=REQUEST; charset=utf-8;\r\n name="invite.ics"\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment;\r\n filename="invite.ics"\r\n'
        b"\r\n" + encoded + b"\r\n"
        b"--" + outer + b"--\r\n"
    )
    assert content == expected


def test_the_same_letter_gives_the_same_bytes() -> None:
    assert compose(a_letter(), PARTS, FROM).content == compose(a_letter(), PARTS, FROM).content


def test_without_a_calendar_it_is_just_two_versions() -> None:
    assert shape(parsed(compose(a_letter(), PARTS, FROM))) == ("multipart/alternative", ["text/plain", "text/html"])


def test_files_come_last_and_the_invite_first_among_them() -> None:
    sessions = {"name": "sessions.ics", "type": "text/calendar; method=PUBLISH; charset=utf-8", "text": "ALL"}
    notes = {"name": "Übung.txt", "type": "text/plain; charset=utf-8", "text": "ä"}
    message = parsed(compose(a_letter(method="REQUEST", calendar=CALENDAR, files=[sessions, notes]), PARTS, FROM))
    alternative, *files = message.iter_parts()
    assert shape(alternative)[1] == ["text/plain", "text/html", "text/calendar"]
    assert [each.get_filename() for each in files] == ["invite.ics", "sessions.ics", "Übung.txt"]
    assert all(each.get_content_disposition() == "attachment" for each in files)
    inline = list(alternative.iter_parts())[-1]
    assert inline.get_payload(decode=True) == files[0].get_payload(decode=True) == CALENDAR.encode()
    assert files[1].get_payload(decode=True) == b"ALL"
    only_files = compose(a_letter(files=[notes]), PARTS, FROM)
    assert shape(parsed(only_files)) == (
        "multipart/mixed",
        [("multipart/alternative", ["text/plain", "text/html"]), "text/plain"],
    )


def test_ics_05_a_withdrawal_names_its_method_in_the_mail_part() -> None:
    content = compose(a_letter(method="CANCEL", calendar=CALENDAR), PARTS, FROM).content
    assert content.count(b"Content-Type: text/calendar; method=CANCEL; charset=utf-8") == 2


def test_mail_01_line_breaks_become_spaces_and_add_no_header() -> None:
    letter = a_letter(to_name="Ana\r\nBcc: x@example.net", from_name="Sea\nStreet", to_email="ana@example.com")
    parts = Parts(subject="Autumn forum\nKeynote and workshops", text="", html="")
    message = compose(letter, parts, FROM)
    found = parsed(message)
    assert found["Subject"] == "Autumn forum Keynote and workshops"
    assert "Bcc" not in found
    assert message.recipient == "ana@example.com"
    assert [(each.display_name, each.addr_spec) for each in found["To"].addresses] == [
        ("Ana Bcc: x@example.net", "ana@example.com")
    ]
    assert found["From"].addresses[0].display_name == "Sea Street"


@pytest.mark.parametrize(
    "email",
    ["ana@example.com\r\nBcc: x@example.net", "a@b.example, x@example.net", "a b@c.example", "@c.example", "plain", ""],
)
def test_an_address_that_is_none_is_refused(email: str) -> None:
    with pytest.raises(AddressUnusable):
        compose(a_letter(to_email=email), PARTS, FROM)


def test_mail_02_accents_and_commas_stay_one_person() -> None:
    letter = a_letter(from_name="Sécurité & Bien-être", to_name="Zoë Łukasz, MSc", to_email="zoe@example.com")
    message = compose(letter, PARTS, FROM)
    assert head_of(message).isascii()
    assert b"<zoe@example.com>" in head_of(message)
    to = parsed(message)["To"].addresses
    assert [(each.display_name, each.addr_spec) for each in to] == [("Zoë Łukasz, MSc", "zoe@example.com")]
    sender = parsed(message)["From"].addresses
    assert [(each.display_name, each.addr_spec) for each in sender] == [
        ("Sécurité & Bien-être", "post@colloquy.example")
    ]


def test_ascii_names_with_commas_and_quotes_are_quoted() -> None:
    message = compose(a_letter(to_name='Ana "Bo" O\'Neil, MSc \\'), PARTS, FROM)
    to = parsed(message)["To"].addresses
    assert [(each.display_name, each.addr_spec) for each in to] == [('Ana "Bo" O\'Neil, MSc \\', "zoe@example.com")]


def test_a_name_that_looks_encoded_stays_what_it_is() -> None:
    message = compose(a_letter(to_name="=?utf-8?q?Admin?="), PARTS, FROM)
    assert parsed(message)["To"].addresses[0].display_name == "=?utf-8?q?Admin?="


def test_no_name_gives_the_bare_address() -> None:
    assert b"\r\nTo: zoe@example.com\r\n" in compose(a_letter(to_name=""), PARTS, FROM).content


def test_mail_03_the_subject_shows_markup_literally() -> None:
    name = '<a href="https://evil.example">Reset your password</a>'
    assert parsed(compose(a_letter(), Parts(f"A place for {name}", "", ""), FROM))["Subject"] == f"A place for {name}"


def test_domains_are_written_in_ascii() -> None:
    message = compose(a_letter(to_email="zoe@straße.example", reply_to="büro@münchen.example"), PARTS, FROM)
    assert message.recipient == "zoe@xn--strae-oqa.example"
    assert message.needs_utf8  # because of büro@
    assert address("a@MÜNCHEN.example") == "a@xn--mnchen-3ya.example"


def test_letters_before_the_at_stay_and_ask_for_utf8() -> None:
    message = compose(a_letter(to_email="jürgen@münchen.example"), PARTS, FROM)
    assert message.needs_utf8
    assert message.recipient == "jürgen@xn--mnchen-3ya.example"
    assert "<jürgen@xn--mnchen-3ya.example>".encode() in head_of(message)
    assert not compose(a_letter(), PARTS, FROM).needs_utf8


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(subject=TEXTS, name=st.text(max_size=200), body=TEXTS)
def test_whatever_people_type_comes_out_as_one_line_each(subject: str, name: str, body: str) -> None:
    message = compose(a_letter(to_name=name), Parts(subject, body, body), FROM)
    found = parsed(message)
    assert found["Subject"] == one_line(subject)
    assert len(found["To"].addresses) == 1
    assert addressee(message) == (one_line(name), "zoe@example.com")
    assert head_of(message).isascii()
    lines = message.content.split(b"\r\n")
    assert all(len(line) <= 998 and b"\r" not in line and b"\n" not in line for line in lines)
    assert not {"Bcc", "Cc"} & set(found.keys())


def test_very_long_lines_are_cut_for_the_wire_only() -> None:
    text = "x" * 5000
    message = compose(a_letter(), Parts(text, text, text), FROM)
    assert max(len(line) for line in message.content.split(b"\r\n")) <= 998
    plain = parsed(message).get_body(("plain",))
    assert plain is not None
    assert plain.get_content().strip() == text
    assert parsed(message)["Subject"] == text
