"""The list finds what was asked for, keeps it in the address, and answers anything that can be typed."""

from datetime import timedelta

import pytest
from flask import Flask

from policies import versions as policies
from tests.builders import a_course, a_meeting, a_presenter, a_workshop, an_organiser, arranged
from tests.conftest import MORNING, Clock
from tests.page import PageClient, form, main_text, tree

pytestmark = pytest.mark.proved_on_both


@pytest.fixture
def shelf(app: Flask, clock: Clock) -> None:
    with arranged(app):
        grief = a_course(slug="grief", title="Complicated Grief", topic="grief", description="On **ambiguous** loss.")
        late = [a_meeting(in_days=10, starts="22:00", ends="23:30")]
        a_workshop(course=grief, sessions=late, price_minor=6500, presenters=[a_presenter(name="Cormac Ficción")])
        couples = a_course(slug="couples", title="Rupture and Repair", topic="couples", summary="For two.")
        a_workshop(course=couples, in_days=40, price_minor=12000, format="room", capacity=0)


def found(client: PageClient, **query: str | list[str]) -> list[str]:
    text = main_text(client.get("/workshops", query_string=query))
    return [title for title in ("Complicated Grief", "Rupture and Repair") if title in text]


GRIEF, COUPLES = ["Complicated Grief"], ["Rupture and Repair"]


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, GRIEF + COUPLES),
        ({"q": "GRIEF"}, GRIEF),
        ({"q": "ficcion complic"}, GRIEF),
        ({"q": "ambiguous"}, GRIEF),
        ({"q": "rupture grief"}, []),
        ({"q": "ief"}, []),
        ({"topic": "couples"}, COUPLES),
        ({"topic": "nothing"}, GRIEF + COUPLES),
        ({"format": "room"}, COUPLES),
        ({"format": ["room", "online_live"]}, GRIEF + COUPLES),
        ({"from": (MORNING + timedelta(days=20)).date().isoformat()}, COUPLES),
        ({"to": (MORNING + timedelta(days=10)).date().isoformat()}, GRIEF),
        ({"to": (MORNING + timedelta(days=10)).date().isoformat(), "zone": "Australia/Sydney"}, []),
        ({"from": "yesterday", "most": "-1"}, GRIEF + COUPLES),
        ({"most": "65"}, GRIEF),
        ({"most": "64"}, []),
        ({"free": "1"}, GRIEF),
    ],
)
def test_the_list_holds_what_was_asked_for(
    client: PageClient, query: dict[str, str | list[str]], titles: list[str]
) -> None:
    assert found(client, **query) == titles


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    "typed",
    [
        '"',
        "'",
        "grief OR NEAR(",
        "* - ^ : & | ! ( )",
        "%_\\",
        "a" * 10_000,
        "grief\0",
        "\ud83d\ude00",
        "--;drop",
        "<b>",
    ],
)
def test_nothing_that_can_be_typed_breaks_it(client: PageClient, typed: str) -> None:
    typed = typed.encode("utf-16", "surrogatepass").decode("utf-16")
    for name in ("q", "topic", "format", "from", "to", "free", "most"):
        assert client.get("/workshops", query_string={name: typed}).status_code == 200


@pytest.mark.usefixtures("shelf")
def test_the_form_keeps_what_was_asked_and_search_pages_do_not_list_it(client: PageClient) -> None:
    page = client.get("/workshops?q=grief&format=online_live&to=2027-05-01&free=1&most=70")
    values = form(page, "/workshops").values
    kept = {"q": "grief", "format": "online_live", "to": "2027-05-01", "free": "1", "most": "70"}
    assert {name: values[name] for name in kept} == kept
    root = tree(page.get_data(as_text=True))
    assert [each.get("content") for each in root.iter("meta") if each.get("name") == "robots"] == ["noindex, follow"]
    (canonical,) = [each.get("href", "") for each in root.iter("link") if each.get("rel") == "canonical"]
    assert canonical.endswith("/workshops")
    assert found(client, q="zebra") == []
    assert "No workshop coming up fits all of that" in main_text(client.get("/workshops?q=zebra"))


def test_pages_of_a_search_keep_it(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        course = a_course(slug="many", title="Many dates")
        for n in range(25):
            a_workshop(course=course, in_days=10 + n)
    page = client.get("/workshops?q=many+dates")
    (further,) = [each for each in tree(page.get_data(as_text=True)).iter("a") if each.get("rel") == "next"]

    assert further.get("href") == "/workshops?page=2&q=many+dates"
    assert client.get(further.get("href") or "").status_code == 200


@pytest.mark.usefixtures("shelf")
def test_what_else_is_known_of_a_workshop_keeps_nobody_from_finding_it(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    rules = [{"action": "cancel", "refund_pct": 50}]
    with arranged(app):
        policies.write(an_organiser().id, "Half", {"rules": rules}, actor="test", now=clock.at)

    assert found(client, q="ambiguous") == GRIEF
