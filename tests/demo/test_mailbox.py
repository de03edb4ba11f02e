"""The demo's mailbox: what came in is what is shown and handed out, whatever it is."""

import json
import smtplib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.mailbox import invites, letter
from demo.mailbox.faults import FaultRefused, Faults
from demo.mailbox.process import Mailbox, running
from demo.mailbox.store import Store

INVITE = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Example//EN\r
METHOD:REQUEST\r
BEGIN:VEVENT\r
UID:session-1@example.com\r
SEQUENCE:3\r
DTSTAMP:20250201T090000Z\r
DTSTART:20250314T100000Z\r
DTEND:20250314T160000Z\r
SUMMARY:Working with grief\r
ORGANIZER;CN=Elm House:mailto:letters@example.com\r
ATTENDEE;CN=Ines Duarte;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ines@example.com\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with running() as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_before(mailbox: Mailbox) -> None:
    call(mailbox, "/letters", method="DELETE")
    call(mailbox, "/_test/faults", method="POST", body={"faults": []})


def call(mailbox: Mailbox, path: str, *, method: str = "GET", body: Any = None) -> tuple[int, Any, bytes]:
    data = None if body is None else json.dumps(body).encode()
    request = Request(mailbox.http + path, data=data, method=method)
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers, refusal.read()


def letters(mailbox: Mailbox, to: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call(mailbox, "/letters.json" + (f"?to={quote(to)}" if to else ""))[2])
    return found


def send(
    mailbox: Mailbox,
    content: bytes,
    *,
    to: tuple[str, ...] = ("ines@example.com",),
    sender: str = "letters@example.com",
) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox.smtp_port, timeout=10) as client:
        client.sendmail(sender, list(to), content)


def page(mailbox: Mailbox, path: str) -> tuple[Any, str]:
    """A page of the mailbox, after what every page of it must keep."""
    status, headers, body = call(mailbox, path)
    assert status == 200
    assert "Set-Cookie" not in headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "script-src" not in headers["Content-Security-Policy"]
    text = body.decode()
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    assert len(tree.findall(".//h1")) == 1
    assert tree.findall(".//script") == []
    assert tree.findall(".//style") == []
    for element in tree.iter():
        assert "style" not in element.attrib
        assert element.attrib.get("src", "/").startswith("/")
    return tree, " ".join(" ".join(tree.itertext()).split())


def an_invitation() -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = "Zoë at Elm House <letters@example.com>"
    message["To"] = "Ines Duarte <ines@example.com>"
    message["Subject"] = "Your place – Friday"
    message["Date"] = "Sat, 01 Feb 2025 09:00:00 +0000"
    message.set_content("Your page: http://localhost:5000/places/abc\nSee you then")
    message.add_alternative("<html><head></head><body><p>Your place is booked</p></body></html>", subtype="html")
    message.add_alternative(INVITE.encode(), maintype="text", subtype="calendar", params={"method": "REQUEST"})
    message.add_attachment(INVITE.encode(), maintype="text", subtype="calendar", filename="invite.ics")
    message.add_attachment(b"%PDF-1.7 ...", maintype="application", subtype="pdf", filename="Rechnung für Zoë.pdf")
    return message


class TestForPrograms:
    def test_lists_decoded_headers_and_envelope_recipients_newest_first(self, mailbox: Mailbox) -> None:
        send(mailbox, an_invitation().as_bytes(), to=("ines@example.com", "Tom+cpd@Example.com"))
        send(mailbox, b"Subject: second\r\n\r\nhello\r\n", to=("someone@example.com",))

        second, first = letters(mailbox)

        assert second["subject"] == "second"
        assert second["from"] == "letters@example.com"
        assert first["subject"] == "Your place – Friday"
        assert first["from"] == "Zoë at Elm House <letters@example.com>"
        assert first["to"] == ["ines@example.com", "Tom+cpd@Example.com"]
        assert set(first) == {"id", "to", "from", "subject", "at"}
        assert time.strptime(first["at"], "%Y-%m-%dT%H:%M:%SZ")

    def test_filters_by_recipient_whatever_the_case(self, mailbox: Mailbox) -> None:
        send(mailbox, b"Subject: x\r\n\r\n", to=("Tom+cpd@Example.com",))
        assert len(letters(mailbox, "tom+CPD@example.com")) == 1
        assert len(json.loads(call(mailbox, "/letters.json?to=tom+cpd@example.com")[2])) == 1
        assert letters(mailbox, "om+cpd@example.com") == []

    def test_hands_out_the_exact_bytes(self, mailbox: Mailbox) -> None:
        sent = b"Subject: bytes\r\nX-Odd:\t spaced  \r\n\r\n.dot\r\nbare\nlf \xff\xfe\x00 caf\xe9\r\n\r\n"
        send(mailbox, sent)
        status, headers, body = call(mailbox, f"/letters/{letters(mailbox)[0]['id']}.eml")
        assert status == 200
        assert body == sent
        assert headers["Content-Type"] == "message/rfc822"

    def test_delete_empties_it(self, mailbox: Mailbox) -> None:
        send(mailbox, b"Subject: x\r\n\r\n")
        gone = letters(mailbox)[0]["id"]
        assert call(mailbox, "/letters", method="DELETE")[0] == 204
        assert letters(mailbox) == []
        assert call(mailbox, f"/letters/{gone}.eml")[0] == 404

    def test_letters_survive_a_restart_even_a_torn_index(self, tmp_path: Path) -> None:
        with running(tmp_path) as mailbox:
            send(mailbox, an_invitation().as_bytes())
            before = letters(mailbox)
            eml = call(mailbox, f"/letters/{before[0]['id']}.eml")[2]
        with (tmp_path / "index.jsonl").open("a") as index:
            index.write('{"id": "torn')
        with running(tmp_path) as mailbox:
            assert letters(mailbox) == before
            assert call(mailbox, f"/letters/{before[0]['id']}.eml")[2] == eml
            send(mailbox, b"Subject: after\r\n\r\n")
        with running(tmp_path) as mailbox:
            assert [entry["subject"] for entry in letters(mailbox)] == ["after", before[0]["subject"]]

    def test_follows_the_clock_of_the_demo(self, tmp_path: Path) -> None:
        clock = tmp_path / "clock"
        clock.write_text("2025-03-14T09:38:00Z")
        with running(tmp_path / "state", clock=clock) as mailbox:
            send(mailbox, b"Subject: then\r\n\r\n")
            assert letters(mailbox)[0]["at"] == "2025-03-14T09:38:00Z"
            clock.write_text("nonsense")
            send(mailbox, b"Subject: now\r\n\r\n")
            assert letters(mailbox)[0]["at"] > "2025-03-15"

    def test_takes_a_hundred_letters_a_second(self, mailbox: Mailbox) -> None:
        def forty(worker: int) -> None:
            for number in range(40):
                send(mailbox, f"Subject: {worker}-{number}\r\n\r\nhello\r\n".encode())

        started = time.monotonic()
        with ThreadPoolExecutor(5) as pool:
            list(pool.map(forty, range(5)))
        seconds = time.monotonic() - started

        assert len({entry["subject"] for entry in letters(mailbox)}) == 200
        assert seconds < 2 * 3, "200 letters, with room for a busy machine"


class TestSmtp:
    @pytest.mark.parametrize("sender", ["<>", "a@example.com", '"odd one"@example.com'])
    def test_takes_senders_that_real_servers_take(self, mailbox: Mailbox, sender: str) -> None:
        send(mailbox, b"Subject: x\r\n\r\n", sender=sender)
        assert len(letters(mailbox)) == 1

    def test_takes_international_addresses(self, mailbox: Mailbox) -> None:
        with smtplib.SMTP("127.0.0.1", mailbox.smtp_port, timeout=10) as client:
            client.sendmail("a@example.com", ["zoë@exämple.com"], "Subject: ë\r\n\r\nx".encode(), ["SMTPUTF8"])
        assert letters(mailbox, "ZOË@exämple.com")[0]["subject"] == "ë"

    def test_takes_lines_and_headings_of_any_length(self, mailbox: Mailbox) -> None:
        send(mailbox, b"Subject: " + b"long " * 50_000 + b"\r\nTo: x\r\n\r\n" + b"y" * 500_000 + b"\r\n")
        entry = letters(mailbox)[0]
        assert entry["subject"].startswith("long long")
        page(mailbox, f"/letters/{entry['id']}")

    def test_refuses_whom_it_was_told_to_refuse_as_often_as_it_was_told(self, mailbox: Mailbox) -> None:
        body = {"faults": [{"to": "X@example.com", "code": 550, "times": 1}, {"code": 451, "times": 2}]}
        assert call(mailbox, "/_test/faults", method="POST", body=body)[0] == 204

        codes = [self._code(mailbox, to) for to in ("x@example.com", "x@example.com", "y@example.com", "y@example.com")]

        assert codes == [550, 451, 451, 250]
        assert len(letters(mailbox)) == 1
        assert [fault["times"] for fault in json.loads(call(mailbox, "/_test/faults")[2])["faults"]] == [0, 0]

    def test_refuses_one_recipient_and_keeps_the_letter_for_the_other(self, mailbox: Mailbox) -> None:
        call(mailbox, "/_test/faults", method="POST", body={"faults": [{"to": "x@example.com", "code": 550}]})
        with smtplib.SMTP("127.0.0.1", mailbox.smtp_port, timeout=10) as client:
            refused = client.sendmail("a@example.com", ["x@example.com", "y@example.com"], b"Subject: x\r\n\r\n")
        assert set(refused) == {"x@example.com"}
        assert letters(mailbox)[0]["to"] == ["y@example.com"]

    def test_hangs_up_when_told_to(self, mailbox: Mailbox) -> None:
        call(mailbox, "/_test/faults", method="POST", body={"faults": [{"code": "drop", "times": 1}]})
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(mailbox, b"Subject: x\r\n\r\n")
        send(mailbox, b"Subject: x\r\n\r\n")

    @pytest.mark.parametrize(
        "wanted",
        [
            [],
            {"faults": [{"code": 250}]},
            {"faults": [{"code": 550, "times": 0}]},
            {"faults": [{"code": 550, "to": 7}]},
            {"faults": ["drop"]},
        ],
    )
    def test_refuses_faults_that_make_no_sense_and_keeps_the_old(self, mailbox: Mailbox, wanted: Any) -> None:
        faults = Faults()
        faults.replace({"faults": [{"code": 451}]})
        with pytest.raises(FaultRefused):
            faults.replace(wanted)
        assert faults.take("anyone@example.com") == 451
        assert call(mailbox, "/_test/faults", method="POST", body=wanted)[0] == 400

    def _code(self, mailbox: Mailbox, to: str) -> int:
        try:
            send(mailbox, b"Subject: x\r\n\r\n", to=(to,))
        except smtplib.SMTPRecipientsRefused as refusal:
            return int(refusal.recipients[to][0])
        return 250


class TestPages:
    def test_the_list_links_each_letter(self, mailbox: Mailbox) -> None:
        assert "No letter has come yet" in page(mailbox, "/")[1]
        send(mailbox, an_invitation().as_bytes())
        tree, text = page(mailbox, "/")
        assert "1 letter, newest first" in text
        assert tree.find(".//td/a").attrib["href"] == f"/letters/{letters(mailbox)[0]['id']}"
        assert "No letter has come yet" in page(mailbox, "/?to=nobody@example.com")[1]

    def test_a_letter_is_shown_as_a_mail_client_would(self, mailbox: Mailbox) -> None:
        send(mailbox, an_invitation().as_bytes())
        letter_id = letters(mailbox)[0]["id"]

        tree, text = page(mailbox, f"/letters/{letter_id}")

        assert tree.find(".//h1").text == "Your place – Friday"
        assert "Zoë at Elm House <letters@example.com>" in text
        assert "Ines Duarte <ines@example.com>" in text
        assert "See you then" in text
        assert tree.find(".//pre/a").attrib["href"] == "http://localhost:5000/places/abc"
        frame = tree.find(".//iframe")
        assert frame.attrib["src"] == f"/letters/{letter_id}/html"
        assert "allow-scripts" not in frame.attrib["sandbox"]
        assert "allow-same-origin" not in frame.attrib["sandbox"]
        assert "Rechnung für Zoë.pdf application/pdf 12 bytes" in text

    def test_the_calendar_card_tells_each_city_its_own_hour(self, mailbox: Mailbox) -> None:
        send(mailbox, an_invitation().as_bytes())
        _tree, text = page(mailbox, f"/letters/{letters(mailbox)[0]['id']}")

        assert text.count("Calendar: REQUEST") == 1, "inline and attached are one calendar"
        for line in (
            "Working with grief",
            "UTC Fri 14 Mar 2025, 10:00–16:00 UTC",
            "London Fri 14 Mar 2025, 10:00–16:00 GMT",
            "Paris Fri 14 Mar 2025, 11:00–17:00 CET",
            "New York Fri 14 Mar 2025, 06:00–12:00 EDT",
            "Sequence 3",
            "UID session-1@example.com",
            "Organiser Elm House <letters@example.com>",
            "Attendee Ines Duarte <ines@example.com> (PARTSTAT NEEDS-ACTION, RSVP TRUE)",
        ):
            assert line in text

    def test_attachments_come_down_as_files(self, mailbox: Mailbox) -> None:
        send(mailbox, an_invitation().as_bytes())
        letter_id = letters(mailbox)[0]["id"]
        tree, _text = page(mailbox, f"/letters/{letter_id}")
        links = [a.attrib["href"] for a in tree.iter("a") if "/parts/" in a.attrib["href"]]

        status, headers, body = call(mailbox, links[-1])

        assert (status, body) == (200, b"%PDF-1.7 ...")
        assert headers["Content-Disposition"].startswith("attachment")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert call(mailbox, f"/letters/{letter_id}/parts/99")[0] == 404

    def test_the_html_part_can_neither_run_nor_fetch(self, mailbox: Mailbox) -> None:
        send(mailbox, b"Subject: x\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script><img src=//x.test/y>")
        letter_id = letters(mailbox)[0]["id"]
        status, headers, body = call(mailbox, f"/letters/{letter_id}/html")
        policy = headers["Content-Security-Policy"]
        assert status == 200
        assert b"<script>alert(1)</script>" in body, "shown as it came"
        assert policy.startswith("sandbox ")
        assert "allow-scripts" not in policy
        assert "default-src 'none'" in policy
        assert "img-src data:;" in policy
        assert "alert(1)" not in page(mailbox, f"/letters/{letter_id}")[1]

    def test_links_of_the_html_part_open_beside_the_mailbox(self, mailbox: Mailbox) -> None:
        send(mailbox, an_invitation().as_bytes())
        body = call(mailbox, f"/letters/{letters(mailbox)[0]['id']}/html")[2]
        assert body.startswith(b'<html><head><base target="_blank">')

    @pytest.mark.parametrize("path", ["/letters/nothing", "/letters/nothing/html", "/letters/..%2f..%2fx.eml", "/x"])
    def test_what_is_not_there_says_so(self, mailbox: Mailbox, path: str) -> None:
        status, headers, body = call(mailbox, path)
        assert status == 404
        assert body.count(b"<h1>") == 1
        assert "Set-Cookie" not in headers


HOSTILE = {
    "nothing": b"",
    "no heading": b"\r\n\r\njust a body\r\n",
    "binary": bytes(range(256)) * 20,
    "broken multipart": b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/mixed\n\n--",
    "no boundary": b"Content-Type: multipart/alternative\r\n\r\nhello",
    "unknown charset": b"Subject: =?x-none?q?=C3=A9?=\r\nContent-Type: text/plain; charset=x-none\r\n\r\n\xe9",
    "charset with a null": b'Content-Type: text/plain; charset="utf-8\x00"\r\n\r\n\xe9',
    "broken base64": b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n####=A",
    "broken uuencode": b"Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nbegin 666 x\n\xff\n",
    "broken encoded words": b"Subject: =?utf-8?b?!!!?= =?utf-8?q?=ZZ?= =??\r\nFrom: =?=?=?=\r\n\r\nx",
    "script everywhere": (
        b'Subject: <script>alert(1)</script>\r\nFrom: "<img src=x onerror=alert(1)>" <x@y>\r\n'
        b"To: <script>alert(1)</script>\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>"
    ),
    "raw eight bits": "Subject: caf\u00e9\r\nFrom: Zo\u00eb <z@x>\r\n\r\n\u2026".encode("latin-1", "replace"),
    "file name up the tree": (
        b'Content-Type: application/pdf; name="../../etc/passwd"\r\n'
        b'Content-Disposition: attachment; filename="a\x0b\r\n X-Evil: 1/../b"\r\n\r\nx'
    ),
    "broken parameters": (
        b"Content-Type: text/plain; charset*0*=''\xff%E; charset*=%; name*9*=a'b\r\n"
        b"Content-Disposition: attachment; filename*=utf-16'en'%D8%00\r\n\r\nx"
    ),
    "type that is none": b"Content-Type: </td><script>/x\r\n\r\nx",
    "calendar that is none": b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nDTSTART;:::\r\n",
    "calendar without end": b"Content-Type: text/calendar\r\n\r\n" + b"BEGIN:VEVENT\r\n" * 3000,
    "calendar of the year nought": INVITE.replace("20250314T100000Z", "00010101T000000Z")
    .join(["Content-Type: text/calendar\r\n\r\n", ""])
    .encode(),
    "calendar without start": INVITE.replace("DTSTART:20250314T100000Z\r\n", "")
    .join(["Content-Type: text/calendar\r\n\r\n", ""])
    .encode(),
    "calendar with a script": INVITE.replace("Working with grief", "<script>alert(1)</script>")
    .join(["Content-Type: text/calendar\r\n\r\n", ""])
    .encode(),
    "floating calendar": INVITE.replace("00Z", "00").join(["Content-Type: text/calendar\r\n\r\n", ""]).encode(),
    "all day calendar": INVITE.replace("DTSTART:20250314T100000Z", "DTSTART;VALUE=DATE:20250314")
    .replace("DTEND:20250314T160000Z", "DTEND;VALUE=DATE:20250315")
    .join(["Content-Type: text/calendar\r\n\r\n", ""])
    .encode(),
    "five thousand headers": b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"Subject: found\r\n\r\nx",
    "deep nesting": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(400)
    ),
    "letters within letters": b"Content-Type: message/rfc822\r\n\r\n" * 1500 + b"x",
    "many parts": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\ny\r\n" * 5000 + b"--x--",
    "lone surrogate": b"Subject: =?utf-16?b?2AA=?=\r\n\r\nx",
    "direction override": b"Subject: =?utf-8?b?4oCuZm9v?=\r\n\r\nx",
}


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in HOSTILE.items()])
def test_no_letter_breaks_a_page(mailbox: Mailbox, content: bytes) -> None:
    send(mailbox, content)
    entry = letters(mailbox)[0]

    page(mailbox, "/")
    tree, _text = page(mailbox, f"/letters/{entry['id']}")
    assert call(mailbox, f"/letters/{entry['id']}/html")[0] in (200, 404)
    assert call(mailbox, f"/letters/{entry['id']}.eml")[0] == 200
    links = [link.attrib["href"] for link in tree.iter("a") if "/parts/" in link.attrib["href"]]
    for link in links[:5]:
        status, headers, _body = call(mailbox, link)
        assert status == 200
        assert headers["Content-Disposition"].startswith("attachment")
        assert "X-Evil" not in headers


def test_a_client_that_goes_in_mid_letter_leaves_nothing(mailbox: Mailbox) -> None:
    with socket.create_connection(("127.0.0.1", mailbox.smtp_port), timeout=10) as client:
        client.sendall(b"EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nSubject: half")
        client.recv(200)
    send(mailbox, b"Subject: whole\r\n\r\n")
    assert [entry["subject"] for entry in letters(mailbox)] == ["whole"]


def test_a_file_that_was_taken_away_is_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry = store.add(b"x", to=["a@x"], sender="b@x", subject="s", at="2025-01-01T00:00:00Z")
    (tmp_path / "letters" / f"{entry.id}.eml").unlink()
    assert store.get(entry.id) is None


def test_the_heading_is_read_without_the_body() -> None:
    assert letter.heading(b"From: a@x\nSubject: =?utf-8?q?caf=C3=A9?=\n\nSubject: not this") == ("a@x", "café")


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_reading_never_raises(data: st.DataObject) -> None:
    _read(_mutated(data, an_invitation().as_bytes()))


@pytest.mark.prove
@settings(max_examples=10_000, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_reading_never_raises_however_long_one_tries(data: st.DataObject) -> None:
    _read(_mutated(data, an_invitation().as_bytes()))
    _cards(_mutated(data, INVITE.encode()))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_reading_a_calendar_never_raises(data: st.DataObject) -> None:
    _cards(_mutated(data, INVITE.encode()))


def _mutated(data: st.DataObject, content: bytes) -> bytes:
    """`content` with some of it cut out and something else put in."""
    for _cut in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 40))
        content = content[:start] + data.draw(st.binary(max_size=20)) + content[start + length :]
    return content


def _read(content: bytes) -> None:
    reading = letter.read(content)
    for part in reading.parts:
        (part.text + part.name + part.type).encode()
    for part in reading.calendars:
        _cards(part.content)
    "".join((*letter.heading(content), reading.to, reading.cc, reading.reply_to, reading.date)).encode()


def _cards(content: bytes) -> None:
    for card in invites.read(content):
        card.method.encode()
        for event in card.events:
            "".join((event.summary, *(name + text for name, text in (*event.times, *event.facts)))).encode()


def test_a_room_of_the_demo_says_that_one_is_in(mailbox: Mailbox) -> None:
    _, said = page(mailbox, "/room/supervision-2027-03-12/2")

    assert "You are in" in said
    assert "session 2 of supervision-2027-03-12" in said
    assert call(mailbox, "/room/supervision-2027-03-12")[0] == 404
