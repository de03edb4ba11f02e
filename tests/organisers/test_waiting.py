"""The waiting list at the desk: who waits in which order and why, places offered by hand, people taken off."""

from flask import Flask

from tests.bookings.making import Made
from tests.bookings.waiting_people import (
    a_full_workshop,
    book,
    give_up,
    letters,
    person,
    receive_of,
    sold,
    states,
    templates,
    waits,
    work_off,
)
from tests.builders import a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.organisers.desk import press, statements
from tests.page import PageClient, main_text

NEW_YORK = "America/New_York"


def there(slug: str) -> str:
    return f"{DESK}/workshops/{slug}/waiting"


def a_list(app: Flask, **columns: object) -> tuple[str, list[Made], list[int]]:
    slug, holders = a_full_workshop(app, capacity=2, **columns)
    return slug, holders, [waits(app, slug, "pair", wanted=2), waits(app, slug, "single", zone=NEW_YORK)]


def test_who_waits_in_which_order_since_when_until_when_and_why(app: Flask, owner: PageClient, clock: Clock) -> None:
    slug, holders, _ = a_list(app)
    clock.shift(hours=1)
    give_up(app, holders[0])
    work_off(app)
    said = main_text(owner.get(there(slug)))
    assert "2 people are on the list." in said
    assert "Times are those of London." in said
    assert said.index("Pair") < said.index("Single")
    for each in ("pair@waits.example", "single@waits.example", "2 places or fewer, Standard", "One place, Standard"):
        assert each in said
    assert "Waiting Since Tuesday 2 March 2027, 09:00 GMT (London)." in said
    assert "One place came free, and 2 places were asked for." in said
    assert (
        "Has an offer one place Since Tuesday 2 March 2027, 10:00 GMT (London), "
        "held until Thursday 4 March 2027, 10:00 GMT (London)." in said
    )
    assert "10:00 GMT (London), Colloquy: Single. Offered a place." in said
    assert "09:00 GMT (London), Pair: Joined the list." in said


def test_an_offer_that_is_over_says_so_before_the_worker_comes(app: Flask, owner: PageClient, clock: Clock) -> None:
    slug, holders, _ = a_list(app)
    give_up(app, holders[0])
    work_off(app)
    clock.shift(hours=49)
    said = main_text(owner.get(there(slug)))
    assert "One person is on the list." in said
    assert "Did not answer Thursday 4 March 2027, 09:00 GMT (London)" in said


def test_what_was_booked_leads_to_its_booking(app: Flask, owner: PageClient) -> None:
    slug, holders, (_, single) = a_list(app)
    give_up(app, holders[0])
    work_off(app)
    reference = book(app, single)
    receive_of(app, reference)
    page = owner.get(there(slug)).get_data(as_text=True)
    assert f'href="{DESK}/bookings/{reference}"' in page


def test_a_place_is_offered_by_hand_out_of_turn(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        workshop = a_workshop(capacity=2)
        workshop.pools[0].reserved = 1
        slug = workshop.slug
    sold(app, slug, "holder")
    first, second = waits(app, slug, "first"), waits(app, slug, "second")
    answer = press(owner, there(slug), f"/{second}/offer")
    assert answer.status_code == 303
    assert states(app, first, second) == ["waiting", "offered"]
    assert templates(app, second)[-1] == "waiting_offer"
    said = main_text(owner.get(answer.headers["Location"]))
    assert "The place is held, and the letter is on its way." in said
    assert "Second. Offered a place." in said

    refused = press(owner, there(slug), f"/{first}/offer")
    assert refused.status_code == 409
    assert "Of what First waits for, no place is free" in main_text(refused)
    assert states(app, first, second) == ["waiting", "offered"]


def test_a_button_that_is_pressed_too_late_changes_nothing(app: Flask, owner: PageClient) -> None:
    slug, holders, (_, single) = a_list(app)
    page = owner.get(there(slug))
    token = page.get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    give_up(app, holders[0])
    work_off(app)
    refused = owner.post(f"{there(slug)}/{single}/offer", data={"csrf_token": token})
    assert refused.status_code == 409
    assert "Single has an offer already" in main_text(refused)
    for status in (303, 409):
        answer = owner.post(f"{there(slug)}/{single}/removal", data={"csrf_token": token})
        assert answer.status_code == status
    assert owner.post(f"{there(slug)}/{single + 9}/removal", data={"csrf_token": token}).status_code == 404


def test_somebody_is_taken_off_and_told_why(app: Flask, owner: PageClient) -> None:
    slug, _, (pair, single) = a_list(app)
    answer = press(owner, there(slug), f"/{pair}/removal", why="It was for members only")
    assert states(app, pair, single) == ["removed", "waiting"]
    told = letters(app, pair)[-1]
    assert told.values["sentences"] == [
        "Olu Trains has taken you off the waiting list.",
        "They say: It was for members only.",
    ]
    said = main_text(owner.get(answer.headers["Location"]))
    assert "Pair. Taken off the list. Reason: It was for members only." in said
    assert said.index("No longer") < said.index("Pair pair@waits.example")
    press(owner, there(slug), f"/{single}/removal")
    assert letters(app, single)[-1].values["sentences"] == ["Olu Trains has taken you off the waiting list."]


def test_the_list_works_as_it_is_set(app: Flask, owner: PageClient) -> None:
    slug, holders = a_full_workshop(app, capacity=2, waiting_at_once=1)
    first, second = waits(app, slug, "first"), waits(app, slug, "second")
    for each in holders:
        give_up(app, each)
    work_off(app)
    assert states(app, first, second) == ["offered", "waiting"]
    typed = {"waiting_at_once": "2", "waiting_hours": "5", "waiting_first_come_hours": "12"}
    answer = press(owner, there(slug), "/settings", **typed)
    assert answer.status_code == 303
    work_off(app)
    assert states(app, first, second) == ["offered", "offered"]
    one, other = person(app, first), person(app, second)
    assert one.held_until
    assert other.held_until
    assert (one.held_until - other.held_until).total_seconds() == 43 * 3600
    page = owner.get(answer.headers["Location"])
    assert 'value="12"' in page.get_data(as_text=True)
    assert "The list's settings changed." in main_text(page)


def test_the_board_and_the_workshop_say_how_many_wait(app: Flask, owner: PageClient) -> None:
    slug, _, _ = a_list(app)
    board = owner.get(f"{DESK}/")
    assert "0, 2 waiting for" in main_text(board)
    assert f'href="{there(slug)}"' in board.get_data(as_text=True)
    assert "On the waiting list 2" in main_text(owner.get(f"{DESK}/workshops/{slug}"))


def test_nobody_of_another_organiser_s_list_is_reached(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        other = a_workshop(organiser=an_organiser(slug="harbour-row", name="Harbour Row")).slug
        own = a_workshop().slug
    number = waits(app, other, "first")
    assert "Nobody waits." in main_text(owner.get(there(own)))
    page = owner.get(there(own)).get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    for act in ("offer", "removal"):
        assert owner.post(f"{there(own)}/{number}/{act}", data={"csrf_token": token}).status_code == 404
    assert states(app, number) == ["waiting"]


def test_a_long_list_takes_as_many_statements_as_a_short_one(app: Flask, owner: PageClient) -> None:
    slug, holders = a_full_workshop(app, capacity=4, waiting_at_once=50)
    pages = [there(slug), f"{DESK}/", f"{DESK}/workshops/{slug}"]

    def grow(numbers: range) -> None:
        made = [waits(app, slug, f"w{n}") for n in numbers]
        give_up(app, holders.pop())
        give_up(app, holders.pop())
        work_off(app)
        book(app, next(each for each, state in zip(made, states(app, *made), strict=True) if state != "left"))

    def costs() -> list[int]:
        return [statements(app, lambda page=each: owner.get(page)) for each in pages]  # type: ignore[misc]

    grow(range(3))
    few = costs()
    grow(range(3, 30))
    assert costs() == few
