"""Cases ICS-01, 02, 03, 06 (the listing), 07 and 08, read by icalendar, by libical and as bytes."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as looks
from hypothesis import strategies as st
from icalendar import Calendar, Event

from lib import calendars, zones
from lib.calendars import Happening, Method, Person
from tests.judges.libical import judge

OLU = Person("Olu Trains", "hello@olu-trains.example")
ANN = Person("Ann Attwood", "ann@clinic.example")
BREAKS = "\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def session(start: str, end: str, zone: str, now: str, **fields: object) -> Happening:
    """A session by its wall times, as an organiser promises it."""
    plain = Happening(
        uid="bk-1042@tickets.example.com",
        starts_at=zones.instant(datetime.fromisoformat(start), zone),
        ends_at=zones.instant(datetime.fromisoformat(end), zone),
        stamp=at(now),
        summary="Reflective Practice",
        description="10:00–16:00 BST (London)\nBring a case.",
        organiser=OLU,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # names are checked by the dataclass itself


SESSION = session("2027-09-21T11:00", "2027-09-21T13:00", "Europe/Paris", "2027-05-06T16:00:00Z")


def lines(calendar: bytes) -> list[str]:
    """Physical lines, after a look at what RFC 5545 3.1 says of them."""
    assert calendar.endswith(b"\r\n")
    physical = calendar.removesuffix(b"\r\n").split(b"\r\n")
    assert not any(b"\r" in each or b"\n" in each for each in physical), "a bare CR or LF"
    assert max(len(each) for each in physical) <= 75
    return [each.decode("utf-8") for each in physical]


def unfolded(calendar: bytes) -> list[str]:
    text = b"\r\n".join(each.encode() for each in lines(calendar)).replace(b"\r\n ", b"")
    return text.decode("utf-8").split("\r\n")


def events(calendar: bytes) -> list[Event]:
    return list(Calendar.from_ical(calendar).events)


def value(calendar: bytes, name: str) -> list[str]:
    """The values of a property by its raw lines."""
    return [each.partition(":")[2] for each in unfolded(calendar) if each.split(":")[0].split(";")[0] == name]


def both(happening: Happening) -> dict[str, bytes]:
    """The same session as it is mailed, downloaded by its attendee, and published."""
    return {
        "REQUEST": calendars.invite(happening, OLU, ANN, "REQUEST"),
        "CANCEL": calendars.invite(replace(happening, is_cancelled=True, sequence=1), OLU, ANN, "CANCEL"),
        "file": calendars.invite(happening, OLU, ANN, None),
        "PUBLISH": calendars.listing([happening], "Workshops"),
    }


@pytest.mark.parametrize("kind", ["REQUEST", "CANCEL", "file", "PUBLISH"])
def test_every_kind_passes_the_judges(kind: str) -> None:
    made = both(SESSION)[kind]
    verdict = judge(made)

    assert verdict["errors"] == []
    assert verdict["well_formed"]
    assert verdict["restrictions"]
    assert [each["starts_at"] for each in verdict["events"]] == ["20270921T090000Z"]
    assert value(made, "METHOD") == ([] if kind == "file" else [kind])
    assert value(made, "VERSION") == ["2.0"]
    assert len(value(made, "ATTENDEE")) == (0 if kind == "PUBLISH" else 1)


def test_the_judge_sees_what_is_wrong() -> None:
    made = calendars.invite(SESSION, OLU, ANN, "REQUEST")
    without = b"\r\n".join(line for line in made.split(b"\r\n") if not line.startswith(b"ORGANIZER"))

    assert not judge(without)["restrictions"]
    assert judge(made.replace(b"TRANSP:OPAQUE", b"TRANSP OPAQUE"))["errors"]
    assert not judge(b"nonsense")["well_formed"]


def test_ics_01_instants_and_stamp_are_utc_and_nothing_floats() -> None:
    for kind, made in both(SESSION).items():
        assert value(made, "DTSTART") == ["20270921T090000Z"], kind
        assert value(made, "DTEND") == ["20270921T110000Z"], kind
        assert value(made, "DTSTAMP") == ["20270506T160000Z"], kind
        assert "TZID" not in made.decode(), kind


@pytest.mark.parametrize("field", ["starts_at", "ends_at", "stamp"])
def test_ics_01_a_naive_time_is_refused(field: str) -> None:
    floating = replace(SESSION, **{field: datetime(2027, 9, 21, 11)})  # type: ignore[arg-type]  # noqa: DTZ001
    with pytest.raises(ValueError, match="instants"):
        calendars.listing([floating])


def test_ics_02_the_day_of_download_changes_nothing_but_the_stamp() -> None:
    times = "2027-05-04T09:15", "2027-05-04T10:45", "Europe/London"
    winter = unfolded(calendars.listing([session(*times, "2027-01-15T09:00:00Z")]))
    summer = unfolded(calendars.listing([session(*times, "2027-06-15T09:00:00Z")]))

    assert "DTSTART:20270504T081500Z" in winter
    assert set(winter) ^ set(summer) == {"DTSTAMP:20270115T090000Z", "DTSTAMP:20270615T090000Z"}


def test_ics_03_no_zone_and_no_list_of_dates_is_written() -> None:
    summer = session("2027-07-06T14:00", "2027-07-06T16:00", "Europe/Berlin", "2027-02-01T09:00:00Z")

    for kind, made in both(summer).items():
        assert value(made, "DTSTART") == ["20270706T120000Z"], kind
        assert not {"RDATE", "RRULE", "EXDATE", "BEGIN:VTIMEZONE"} & {each.split(";")[0] for each in unfolded(made)}
        assert [(each["starts_at"], each["is_utc"]) for each in judge(made)["events"]] == [("20270706T120000Z", True)]


THREE = [
    session(f"2027-02-{day}T18:00", f"2027-02-{day}T20:00", "Europe/London", "2027-01-04T09:00:00Z", uid=f"s{n}@x")
    for n, day in enumerate(("02", "09", "16"), 1)
]


def test_ics_06_a_listing_holds_every_session_under_its_own_uid() -> None:
    made = calendars.listing(THREE, "Supervision Skills")

    assert [(e.uid, e.start, e.end) for e in events(made)] == [
        (f"s{n}@x", datetime(2027, 2, day, 18, tzinfo=UTC), datetime(2027, 2, day, 20, tzinfo=UTC))
        for n, day in ((1, 2), (2, 9), (3, 16))
    ]
    assert value(made, "METHOD") == ["PUBLISH"]
    assert value(made, "ATTENDEE") == []
    assert judge(made)["restrictions"]


def test_ics_06_moving_the_second_session_changes_only_its_lines() -> None:
    week = timedelta(days=7)
    moved = replace(THREE[1], starts_at=THREE[1].starts_at + week / 7, ends_at=THREE[1].ends_at + week / 7, sequence=1)
    before = unfolded(calendars.listing(THREE))
    after = unfolded(calendars.listing([THREE[0], moved, THREE[2]]))

    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ("DTSTART:20270209T180000Z", "DTSTART:20270210T180000Z"),
        ("DTEND:20270209T200000Z", "DTEND:20270210T200000Z"),
        ("SEQUENCE:0", "SEQUENCE:1"),
    ]


def test_ics_06_a_request_takes_one_session_and_one_person_by_its_signature() -> None:
    for each in THREE:
        made = calendars.invite(each, OLU, ANN, "REQUEST")
        assert value(made, "UID") == [each.uid]
        assert value(made, "ATTENDEE") == ["mailto:ann@clinic.example"]


@pytest.mark.parametrize(
    "name",
    [
        'Ana "Nina" O\'Neil, MSc; PhD: Leeds',
        "Ann^Attwood",
        "Ann^'Attwood^n",
        "Zoë Łuczak",
        "李小龍",
        "🎓 Ann",
        "A" * 190,
        "é" * 180,
        "=?utf-8?q?Ann?=",
        "Ann\\Attwood",
    ],
)
def test_ics_07_a_name_comes_back_as_it_was_typed(name: str) -> None:
    made = calendars.invite(SESSION, OLU, Person(name, "ana@example.com"), "REQUEST")
    (line,) = [each for each in unfolded(made) if each.startswith("ATTENDEE")]
    (event,) = events(made)

    assert event.attendees[0].params["CN"] == name
    assert str(event.attendees[0]) == "mailto:ana@example.com"
    assert line.count('"') in (0, 2)
    assert judge(made)["errors"] == []
    assert judge(made)["events"][0]["attendees"] == 1


def test_ics_07_the_case_itself() -> None:
    made = calendars.invite(SESSION, OLU, Person('Ana "Nina" O\'Neil, MSc; PhD: Leeds', "ana@example.com"), "REQUEST")

    (line,) = [each for each in unfolded(made) if each.startswith("ATTENDEE")]
    assert "CN=\"Ana ^'Nina^' O'Neil, MSc; PhD: Leeds\"" in line


@pytest.mark.parametrize("name", ["", "  ", "\r\n"])
def test_a_person_without_a_name_is_an_address(name: str) -> None:
    made = calendars.invite(SESSION, OLU, Person(name, "ana@example.com"), "REQUEST")

    assert "CN" not in str(events(made)[0].attendees[0].params.keys())


INJECTED = "Safeguarding 101{0}BEGIN:VALARM{0}ACTION:DISPLAY{0}DESCRIPTION:x{0}END:VALARM{0}SUMMARY:Moved"
FIELDS: dict[str, Callable[[str], tuple[Happening, Person, Person]]] = {
    "summary": lambda text: (replace(SESSION, summary=text), OLU, ANN),
    "location": lambda text: (replace(SESSION, location=text), OLU, ANN),
    "description": lambda text: (replace(SESSION, description=text), OLU, ANN),
    "uid": lambda text: (replace(SESSION, uid=text), OLU, ANN),
    "url": lambda text: (replace(SESSION, url=text), OLU, ANN),
    "organiser name": lambda text: (SESSION, Person(text, OLU.email), ANN),
    "organiser email": lambda text: (SESSION, Person(OLU.name, text), ANN),
    "attendee name": lambda text: (SESSION, OLU, Person(text, ANN.email)),
    "attendee email": lambda text: (SESSION, OLU, Person(ANN.name, text)),
}


@pytest.mark.parametrize("line_break", BREAKS, ids=repr)
@pytest.mark.parametrize("where", FIELDS)
def test_ics_08_a_line_break_makes_no_line(where: str, line_break: str) -> None:
    happening, organiser, attendee = FIELDS[where](INJECTED.format(line_break))
    made = calendars.invite(happening, organiser, attendee, "REQUEST")

    starts = [each.split(":")[0].split(";")[0] for each in lines(made) if not each.startswith(" ")]
    assert starts.count("BEGIN") == 2
    assert [starts.count(name) for name in ("SUMMARY", "ATTENDEE", "ACTION", "UID", "ORGANIZER")] == [1, 1, 0, 1, 1]
    assert not any(character in made.decode() for character in "\x0b\x0c\x85\u2028\u2029")
    assert not events(made)[0].alarms.times


def test_ics_08_a_place_adds_nobody() -> None:
    placed = replace(SESSION, location="Room 4\rATTENDEE:mailto:x@example.net")
    made = calendars.listing([placed])

    assert value(made, "ATTENDEE") == []
    assert events(made)[0]["LOCATION"] == "Room 4 ATTENDEE:mailto:x@example.net"


def test_a_description_keeps_its_lines_as_text() -> None:
    assert value(calendars.listing([SESSION]), "DESCRIPTION") == [r"10:00–16:00 BST (London)\nBring a case."]


def test_commas_semicolons_and_backslashes_come_back() -> None:
    said = r"Loss, grief; and \n what helps"
    made = calendars.listing([replace(SESSION, summary=said, location=said)])

    assert (events(made)[0]["SUMMARY"], events(made)[0]["LOCATION"]) == (said, said)
    assert judge(made)["events"][0]["summary"] == said


free = st.text(max_size=200)


@looks(max_examples=150)
@given(summary=free, description=free, location=free, name=free)
def test_whatever_is_typed_the_file_keeps_its_shape(summary: str, description: str, location: str, name: str) -> None:
    typed = replace(SESSION, summary=summary, description=description, location=location)
    made = calendars.invite(typed, OLU, Person(name, ANN.email), "REQUEST")

    names = [each.split(":")[0].split(";")[0] for each in lines(made) if not each.startswith(" ")]
    assert names.count("BEGIN") == names.count("END") == 2
    assert len(events(made)) == 1
    assert len(value(made, "ATTENDEE")) == 1


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL", None])
def test_a_cancelled_entry_says_so(method: Method | None) -> None:
    made = calendars.invite(replace(SESSION, is_cancelled=True, sequence=3), OLU, ANN, method)

    assert value(made, "STATUS") == ["CANCELLED"]
    assert value(made, "SEQUENCE") == ["3"]


def test_an_empty_listing_is_a_calendar_all_the_same() -> None:
    assert events(calendars.listing([], "Nothing yet")) == []


def test_the_judge_runs_without_our_packages() -> None:
    """It must say what libical says, not what the library that wrote the file would."""
    seen = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", "import json,sys; print(json.dumps([m for m in sys.modules if 'ical' in m]))"],
        capture_output=True,
        check=True,
    )
    assert json.loads(seen.stdout) == []
