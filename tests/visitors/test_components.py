"""The pages' components: what each macro says, and what the pages made of them hold whatever the workshop."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import html5lib
import pytest
from flask import Flask, render_template_string

from lib import zones
from tests.builders import LONDON, a_meeting, a_question, a_ticket, a_workshop, arranged
from tests.page import PageClient, form, main_text

SYDNEY = "Australia/Sydney"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(app: Flask, call: str, **values: Any) -> Any:
    """One macro's answer as a tree; `call` is its file and what is asked of it."""
    file, _, asked = call.partition(": ")
    name = asked.partition("(")[0]
    source = f'{{% from "macros/{file}.html" import {name} %}}{{{{ {asked} }}}}'
    with app.test_request_context("/"):
        return html5lib.parseFragment(render_template_string(source, **values), namespaceHTMLElements=False)


def words(tree: Any) -> str:
    return " ".join("".join(tree.itertext()).split())


def test_every_drawing_is_a_cover(app: Flask) -> None:
    folder = Path(app.root_path, "templates", "art")
    with app.test_request_context("/"):
        listed = render_template_string('{% from "macros/cover.html" import COVERS %}{{ COVERS|join(" ") }}')

    assert sorted(listed.split()) == sorted(file.stem for file in folder.glob("*.svg"))


def test_a_workshop_without_a_topic_gets_the_house_s_own_cover(app: Flask) -> None:
    assert drawn(app, "cover: cover('no-such-topic')").find(f".//{SVG}svg").get("class") == "art art--colloquy"


def test_a_field_names_its_hint_and_its_error(app: Flask) -> None:
    tree = drawn(app, "field: plain_field('email', 'Email', 'x', hint='Yours.', errors=['Not whole.'])")

    control = tree.find(".//input")
    described = control.get("aria-describedby").split()
    said = [words(each) for each in tree.iter() if each.get("id") in described]
    assert control.get("aria-invalid") == "true"
    assert said == ["Yours.", "Not whole."]
    assert tree.find(".//label").get("for") == control.get("id")


def test_a_field_without_fault_is_not_called_invalid(app: Flask) -> None:
    control = drawn(app, "field: plain_field('email', 'Email', none)").find(".//input")

    assert control.get("aria-invalid") is None
    assert control.get("aria-describedby") is None
    assert control.get("value") == ""


def test_what_people_typed_is_text(app: Flask) -> None:
    tree = drawn(app, "field: plain_field('n', 'Name', typed)", typed='"><script>x</script>')

    assert tree.find(".//script") is None
    assert tree.find(".//input").get("value") == '"><script>x</script>'


def test_a_ticket_that_cannot_be_chosen_stays_with_its_reason(app: Flask) -> None:
    tree = drawn(app, "ticket: ticket('early', 'Early bird', '£85.00', 'Ended.', is_chosen=true, is_closed=true)")

    control = tree.find(".//input")
    assert control.get("disabled") is not None
    assert control.get("checked") is None
    assert words(tree) == "Early bird £85.00 Ended."


def test_the_total_comes_last(app: Flask) -> None:
    lines = [{"text": "Self-funded, 2 at £109.00", "minor": 21800}, {"text": "WELCOME20", "minor": -4360}]
    tree = drawn(app, "price: price(lines, 17440, 'GBP')", lines=lines)

    rows = [words(row) for row in tree.iter("tr")]
    assert rows == ["Self-funded, 2 at £109.00£218.00", "WELCOME20-£43.60", "Total£174.40"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1860, "31 minutes left"), (61, "2 minutes left"), (60, "1 minute left"), (1, "1 minute left"), (-5, "0 minutes")],
)
def test_the_minutes_left_are_rounded_up(app: Flask, seconds: int, said: str) -> None:
    now = datetime(2025, 2, 3, 14, 4, tzinfo=UTC)
    tree = drawn(
        app,
        "countdown: countdown(until, now, 'Europe/London', 'Kept', 'Then not.')",
        until=now + timedelta(seconds=seconds),
        now=now,
    )

    assert said in words(tree)


def test_the_times_block_says_the_next_day_and_carries_one_line_to_copy(app: Flask) -> None:
    starts, ends = datetime(2025, 3, 14, 10, tzinfo=UTC), datetime(2025, 3, 14, 16, tzinfo=UTC)
    tree = drawn(app, "times: times(starts, ends, zone, 'Europe/London')", starts=starts, ends=ends, zone=SYDNEY)

    said = words(tree)
    assert "Friday 14 March 2025 in Sydney" in said
    assert "21:00–03:00 AEDT" in said
    assert "Ends the next day, Saturday 15 March 2025" in said
    copied = [each.text for each in tree.iter("p") if each.get("class") == "times-copy"]
    assert copied == [zones.line(starts, ends, LONDON)]


def test_the_hour_line_stands_where_the_session_does(app: Flask) -> None:
    starts, ends = datetime(2025, 1, 14, 10, tzinfo=UTC), datetime(2025, 1, 14, 16, 30, tzinfo=UTC)
    tree = drawn(app, "times: times(starts, ends, 'Europe/London')", starts=starts, ends=ends)

    line = next(path for path in tree.iter(f"{SVG}path") if path.get("class") == "hours-on")
    assert line.get("d") == "M100.0 0H165.0v10H100.0z"


def test_a_change_of_clocks_is_a_row_between_the_sessions(app: Flask) -> None:
    days = [datetime(2024, 10, 23, 18, tzinfo=UTC), datetime(2024, 10, 30, 19, tzinfo=UTC)]
    sessions = [
        SimpleNamespace(number=n, title="", zone=LONDON, starts_at=at, ends_at=at + timedelta(minutes=105))
        for n, at in enumerate(days, 1)
    ]
    tree = drawn(app, "times: sessions_table(sessions, 'Europe/London')", sessions=sessions)

    rows = [words(row) for row in tree.iter("tr")][1:]
    assert [row[:10] for row in rows] == ["1. Wed 23 ", "The clocks", "2. Wed 30 "]
    assert "go back here: BST before, GMT after" in rows[1]


def test_each_session_stands_once_as_a_line_on_its_page(app: Flask, client: PageClient) -> None:
    with arranged(app):
        days = (date(2027, 3, 24), date(2027, 3, 31))
        workshop = a_workshop(sessions=[a_meeting(day=day, starts="19:00", ends="20:45") for day in days])
        slug = workshop.slug
        lines = [zones.line(each.starts_at, each.ends_at, LONDON) for each in workshop.sessions]

    page = client.get(f"/workshops/{slug}").get_data(as_text=True)

    assert [page.count(line) for line in lines] == [1, 1]


def test_a_ticket_not_on_sale_is_told_on_page_and_form(app: Flask, client: PageClient) -> None:
    with arranged(app):
        workshop = a_workshop()
        a_ticket(workshop, code="parts", name="In three parts", payment="deposit")
        slug = workshop.slug

    for address in (f"/workshops/{slug}", f"/workshops/{slug}/bookings/new"):
        said = main_text(client.get(address))
        assert "In three parts" in said
        assert "Not yet on sale here." in said


def test_enter_goes_on_and_removes_nobody(app: Flask, client: PageClient) -> None:
    with arranged(app):
        slug = a_workshop().slug

    page = client.get(f"/workshops/{slug}/bookings/new")

    assert form(page, "/bookings").buttons[0].name == ""


def test_the_form_asks_each_person_the_workshop_s_questions(app: Flask, client: PageClient) -> None:
    with arranged(app):
        workshop = a_workshop()
        a_question(workshop, code="body", label="Your professional body", kind="choice", choices=["BACP", "UKCP"])
        a_question(workshop, code="loop", label="I use a hearing loop", kind="tick", is_private=True)
        slug = workshop.slug

    filled = form(client.get(f"/workshops/{slug}/bookings/new"), "/bookings")

    assert {"attendee-0-answer-body", "attendee-0-answer-loop"} <= set(filled.names)


def test_unknown_addresses_are_answered_alike(client: PageClient) -> None:
    pages = {client.get(address).get_data() for address in ("/nothing", "/workshops/nothing", "/places/nothing")}

    assert len(pages) == 1


def test_looking_sets_no_cookie(app: Flask, client: PageClient) -> None:
    with arranged(app):
        slug = a_workshop().slug

    for address in ("/", "/workshops", f"/workshops/{slug}", "/terms", "/privacy", "/accessibility", "/nothing"):
        assert "Set-Cookie" not in client.get(address).headers, address


@pytest.mark.parametrize("address", ["/", "/workshops", "/terms", "/privacy", "/accessibility", "/links", "/nothing"])
def test_the_title_begins_with_the_heading(client: PageClient, address: str) -> None:
    page = client.get(address).get_data(as_text=True)
    heading = re.sub(r"<[^>]+>", "", re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1])  # type: ignore[index]

    assert f"<title>{heading} - Colloquy</title>" in page
