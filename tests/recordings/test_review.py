"""The desk's pages of what becomes of a film: how far it is, what went wrong, looking through it, cuts, publishing."""

import pytest
from flask import Flask

from tests.bookings.making import ANN
from tests.conftest import Person
from tests.organisers.conftest import DESK, signed_in
from tests.page import PageClient, form, main_text
from tests.recordings.arrived import arrive, made, recording, work_off
from tests.recordings.films import Films
from tests.recordings.showing import Kept, a_film, a_recorded_workshop, address, booked, windows


@pytest.fixture
def slug(app: Flask) -> str:
    return a_recorded_workshop(app)


@pytest.fixture
def owner(app: Flask, client: PageClient, slug: str, olu: Person) -> PageClient:
    return signed_in(app, client, olu)


def test_from_what_arrived_to_what_is_published(app: Flask, owner: PageClient, slug: str, films: Films) -> None:
    booked(app, slug)
    board = f"{DESK}/workshops/{slug}/recordings"
    arrive(app, slug, films.long)
    assert "We are looking at what it holds." in main_text(owner.get(board))
    assert owner.get(f"{board}/1/making").get_json() == {"making": "waiting", "percent": 0}
    work_off(app)
    assert owner.get(f"{board}/1/making").get_json() == {"making": "ready", "percent": 100}
    page = owner.get(board).get_data(as_text=True)
    assert f'href="{board}/1/review"' in page
    assert f'action="{board}/1/publish"' not in page

    review = owner.get(f"{board}/1/review")
    asked = form(review, "/review/cuts")
    assert (asked.values["trim_from"], asked.values["trim_to"]) == ("0:00:00", "0:00:08")
    typed = {"trim_from": "0:00:01", "cuts": "0:00:03 - 0:00:05", "marks": "0:00:00 Welcome\n0:00:06 The model"}
    answer = owner.submit(asked, typed)
    assert (answer.status_code, answer.location) == (303, f"{board}/1/review?done=asked")
    assert "The film is made ready in a moment." in main_text(owner.get(answer.location))
    work_off(app)
    found = recording(app, slug)
    assert (found.kept, found.chapters) == ([[1, 3], [5, 8]], [[0, "Welcome"], [3, "The model"]])
    shown = main_text(owner.get(f"{board}/1/review"))
    assert "0:00:03 of it are left out." in shown
    whole = owner.get(f"{board}/1/review/whole", headers={"Range": "bytes=0-99"})
    assert (whole.status_code, len(whole.data), whole.headers["Cache-Control"]) == (206, 100, "private, no-store")
    assert owner.get(f"{board}/1/review/made").data != owner.get(f"{board}/1/review/whole").data
    poster = owner.get(f"{board}/1/review/poster")
    assert (poster.content_type, poster.data[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert owner.get(f"{board}/1/review/other").status_code == 404

    answer = owner.submit(form(owner.get(f"{board}/1/review"), "/review/done"))
    assert "Kept: you have looked through it." in main_text(owner.get(answer.location))
    answer = owner.submit(form(owner.get(f"{board}/1/review"), "/publish"))
    assert answer.status_code == 303
    assert [each[0] for each in windows(app)] == [ANN[1]]


def test_it_is_not_published_unseen_even_by_hand(app: Flask, owner: PageClient, slug: str, films: Films) -> None:
    made(app, slug, films.mp4)
    board = f"{DESK}/workshops/{slug}/recordings"
    token = form(owner.get(f"{board}/1/review"), "/review/done").values["csrf_token"]
    answer = owner.post(f"{board}/1/publish", data={"csrf_token": token})
    assert answer.status_code == 409
    assert "Somebody has to look through it first" in main_text(answer)
    assert recording(app, slug).state == "uploaded"


def test_who_looked_through_another_version_is_asked_to_look_again(
    app: Flask, owner: PageClient, slug: str, films: Films
) -> None:
    made(app, slug, films.long)
    review = f"{DESK}/workshops/{slug}/recordings/1/review"
    opened = form(owner.get(review), "/review/done")
    owner.submit(form(owner.get(review), "/review/cuts"), {"trim_to": "0:00:02"})
    answer = owner.submit(opened)
    assert (answer.status_code, recording(app, slug).reviewed_at) == (409, None)
    work_off(app)
    answer = owner.submit(opened)
    assert (answer.status_code, recording(app, slug).reviewed_at) == (409, None)
    assert "Please look through it anew." in main_text(answer)


def test_what_failed_is_told_and_tried_again(app: Flask, owner: PageClient, slug: str, films: Films) -> None:
    board = f"{DESK}/workshops/{slug}/recordings"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        made(app, slug, films.mp4)
    told = main_text(owner.get(board))
    assert "ffmpeg, is not installed on the server. Your film is safe" in told
    answer = owner.submit(form(owner.get(board), "/1/making"))
    assert (answer.status_code, answer.location) == (303, board)
    work_off(app)
    assert recording(app, slug).making == "ready"
    assert "ffmpeg" not in main_text(owner.get(board))


def test_parts_are_put_in_another_order(app: Flask, owner: PageClient, slug: str, films: Films) -> None:
    made(app, slug, films.silent, films.long)
    review = f"{DESK}/workshops/{slug}/recordings/1/review"
    assert "film.mp4: This film has no sound." in main_text(owner.get(review))
    first, second = [each.id for each in recording(app, slug).parts]
    answer = owner.submit(form(owner.get(review), "/review/parts"), {f"part-{first}": "2", f"part-{second}": "1"})
    assert answer.status_code == 303
    assert [each.id for each in recording(app, slug).parts] == [second, first]
    answer = owner.submit(form(owner.get(review), "/review/parts"), {f"part-{first}": "0", f"part-{second}": "0"})
    assert answer.status_code == 409
    assert "at least one of them" in main_text(answer)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"trim_from": "0:09:00"}, "The film ends before that, at 0:03:12."),
        ({"trim_to": "0:00:00"}, "It would end before it begins."),
        ({"cuts": "0:00:00 - 0:03:12"}, "Nothing of the film would be left."),
        ({"marks": "0:09:00 Late"}, "Line 1 begins after the film ends"),
    ],
)
def test_times_that_cannot_be_are_told_at_their_field(
    app: Flask, owner: PageClient, slug: str, typed: dict[str, str], said: str
) -> None:
    a_film(app, slug)
    review = f"{DESK}/workshops/{slug}/recordings/1/review"
    answer = owner.submit(form(owner.get(review), "/review/cuts"), typed)
    assert answer.status_code == 422
    assert said in main_text(answer)
    assert recording(app, slug).making == "ready"


def test_a_faulty_film_is_replaced_under_people_who_watch(
    app: Flask, owner: PageClient, slug: str, films: Films
) -> None:
    booking = booked(app, slug)
    board = f"{DESK}/workshops/{slug}/recordings"
    made(app, slug, films.mp4)
    owner.submit(form(owner.get(f"{board}/1/review"), "/review/done"))
    owner.submit(form(owner.get(f"{board}/1/review"), "/publish"))
    before = windows(app)
    found = recording(app, slug)
    page = address(app, booking, Kept(found.id, found.file))
    shown = owner.get(f"{page}/media").data
    arrive(app, slug, films.long)
    work_off(app)
    assert "Another film is ready to take its place" in main_text(owner.get(board))
    assert owner.get(f"{page}/media").data == shown
    answer = owner.submit(form(owner.get(f"{board}/1/review"), "/review/done"))
    assert answer.status_code == 303
    assert owner.get(f"{page}/media").data != shown
    assert windows(app) == before


def test_how_long_originals_are_kept_is_a_setting(app: Flask, owner: PageClient) -> None:
    page = f"{DESK}/recordings/originals"
    asked = form(owner.get(page), "/recordings/originals")
    assert asked.values["days"] == "30"
    assert owner.submit(asked, {"days": "7"}).status_code == 303
    assert form(owner.get(page), "/recordings/originals").values["days"] == "7"
    answer = owner.submit(asked, {"days": "-1"})
    assert answer.status_code == 422


@pytest.mark.parametrize(("role", "organiser"), [("presenter", "olu-trains"), ("owner", "elsewhere")])
def test_to_others_neither_page_nor_film_exists(
    app: Flask, client: PageClient, slug: str, zed: Person, role: str, organiser: str
) -> None:
    a_film(app, slug)
    review = f"{DESK}/workshops/{slug}/recordings/1/review"
    paths = (review, f"{review}/made", f"{review}/poster", f"{DESK}/workshops/{slug}/recordings/1/making")
    assert [client.get(path).status_code for path in paths] == [303] * 4
    signed_in(app, client, zed, role, organiser)
    assert [client.get(path).status_code for path in paths] == [404] * 4
