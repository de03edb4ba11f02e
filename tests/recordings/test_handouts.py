"""Handouts: what is taken in, who may download it, until when, and as what it arrives."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from bookings.models import Attendee
from courses.models import Workshop
from lib import clock as product_clock
from lib import db
from recordings import handout_kinds, handouts, notes, storage
from recordings.handout_kinds import HandoutRefused
from recordings.handout_models import Handout
from tests.bookings.making import ANN, BOB, a_wish, held
from tests.builders import a_meeting, a_ticket, arranged
from tests.conftest import Clock
from tests.courses.test_shelf import statements
from tests.page import PageClient, main_text, tree
from tests.recordings.showing import a_film, a_recorded_workshop, address, booked, published, session_of

PDF = b"%PDF-1.7\n" + b"x" * 3000
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60


def packed(*names: str, body: bytes = b"x") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, body)
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (PDF, "pdf"),
        (PNG, "png"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 20, "jpg"),
        (b"GIF89a" + b"\0" * 20, "gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "webp"),
        (packed("[Content_Types].xml", "word/document.xml"), "docx"),
        (packed("[Content_Types].xml", "ppt/presentation.xml"), "pptx"),
        (packed("slides/one.pdf", "read me.txt"), "zip"),
    ],
)
def test_what_is_given_out(body: bytes, kind: str) -> None:
    assert handout_kinds.look(io.BytesIO(body)).name == kind


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "We give out PDF"),
        (b"<html><script>", "We give out PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "We give out PDF"),
        (b"  %PDF-1.7", "We give out PDF"),
        (b"MZ\x90\0" + b"\0" * 60, "We give out PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "We give out PDF"),
        (b"#!/bin/sh\n", "We give out PDF"),
        (b"PK\x03\x04 and no more", "is not whole"),
        (packed("[Content_Types].xml", "word/vbaProject.bin"), "macros"),
        (packed("[Content_Types].xml", "xl/workbook.xml"), "Word documents and slides"),
        (packed("a.pdf", "tools/Run me.EXE"), "“Run me.EXE”"),
        (packed("page.html"), "“page.html”"),
        (packed("inner.zip"), "“inner.zip”"),
        (packed("../../etc/paper.pdf"), "other folders"),
        (packed("/etc/paper.pdf"), "other folders"),
    ],
)
def test_what_is_not(body: bytes, why: str) -> None:
    with pytest.raises(HandoutRefused, match=why):
        handout_kinds.look(io.BytesIO(body))


def test_an_archive_is_looked_at_and_never_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("big.txt", b"\0" * 20_000_000)

    assert handout_kinds.look(bomb).name == "zip"
    with pytest.raises(HandoutRefused, match="more than 2000 files"):
        handout_kinds.look(io.BytesIO(packed(*(f"{n}.txt" for n in range(2001)), body=b"")))


def add(app: Flask, slug: str, name: str, access: str, *, number: int | None = None, **more: Any) -> int:
    with app.app_context():
        key, size = storage.keep(io.BytesIO(PDF))
        with db.writing():
            workshop = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
            session = session_of(slug, number).id if number else None
            return handouts.add(
                workshop,
                session_id=session,
                name=name,
                kind=handout_kinds.KINDS["pdf"],
                key=key,
                size=size,
                access=access,
                until_at=more.get("until_at"),
                now=product_clock.now(),
            ).id


def links(client: PageClient, page: str) -> dict[str, str]:
    """The handouts on a page: name and address."""
    answer = client.get(page)
    found = {}
    for each in tree(answer.get_data(as_text=True)).iter("a"):
        if "/handouts/" in (each.get("href") or ""):
            found["".join(each.itertext()).removeprefix("Download ")] = (each.get("href") or "").removeprefix(
                "http://localhost"
            )
    return found


@pytest.mark.both_databases
def test_who_finds_what_and_until_when(app: Flask, client: PageClient, clock: Clock) -> None:
    slug = a_recorded_workshop(app, sessions=[a_meeting(in_days=7), a_meeting(in_days=8)])
    with arranged(app):
        workshop = db.session.scalars(select(Workshop)).one()
        a_ticket(workshop, code="second", prices={"GBP": 0}, sessions=[2])
    made = booked(app, slug)
    other = held(app, a_wish(slug, people=[BOB], ticket="second")).places[0].removeprefix("http://localhost")
    kept = a_film(app, slug)
    place, page = made.places[0].removeprefix("http://localhost"), address(app, made, kept)
    add(app, slug, "Slides", "with_recording", number=1)
    add(app, slug, "Exercises", "with_recording")
    add(app, slug, "Reading", "until", until_at=clock.at + timedelta(days=60))
    add(app, slug, "Thanks", "always", number=2)
    assert list(links(client, place)) == ["Reading", "Thanks"]

    published(app, kept)
    assert list(links(client, place)) == ["Exercises", "Reading", "Slides", "Thanks"]
    assert list(links(client, page)) == ["Exercises", "Reading", "Slides"]
    assert list(links(client, other)) == ["Reading", "Thanks"]
    said = main_text(client.get(place))
    assert "Slides PDF, 3 kB. To download until Tuesday 30 March 2027, 09:00 BST (London)." in said
    assert "Thanks PDF, 3 kB. Yours to download whenever you like." in said

    found = links(client, place)
    clock.set("2027-03-30T07:59:59Z")
    assert client.get(found["Slides"]).get_data() == PDF
    clock.set("2027-03-30T08:00:00Z")
    closed = client.get(found["Slides"])
    assert (closed.status_code, closed.headers["Cache-Control"]) == (403, "private, no-store")
    assert "This handout is not open" in main_text(closed)
    assert list(links(client, place)) == ["Reading", "Thanks"]
    clock.set("2027-05-01T09:00:00Z")
    assert list(links(client, place)) == ["Thanks"]


def test_many_notes_and_handouts_cost_no_more_statements(app: Flask, client: PageClient) -> None:
    slug = a_recorded_workshop(app)
    made = booked(app, slug)
    kept = a_film(app, slug)
    published(app, kept)
    pages = [made.places[0].removeprefix("http://localhost"), address(app, made, kept)]
    pages.append(f"{pages[1]}/notes")

    def costs() -> list[int]:
        found = []
        for page in pages:
            with statements(app) as asked:
                client.get(page)
            found.append(len(asked))
        return found

    def grow(times: int) -> None:
        for number in range(times):
            add(app, slug, f"Paper {number}", "always")
            with arranged(app):
                ann = db.session.scalars(select(Attendee)).one()
                notes.write(ann.organiser_id, ann.id, kept.id, number, "x", product_clock.now())

    client.get(pages[1])
    grow(1)
    few = costs()
    grow(8)
    assert costs() == few


@pytest.fixture
def handed(app: Flask, client: PageClient) -> tuple[str, str, str]:
    """Ann's place, Bob's, and the address of a handout on Ann's."""
    slug = a_recorded_workshop(app)
    made = booked(app, slug, ANN, BOB)
    add(app, slug, "Étude “1”/2", "always")
    places = [each.removeprefix("http://localhost") for each in made.places]
    [(_, path)] = links(client, places[0]).items()
    return places[0], places[1], path


def test_it_arrives_as_a_file_to_save(client: PageClient, handed: tuple[str, str, str]) -> None:
    answer = client.get(handed[2])
    answer.get_data()

    assert (answer.status_code, answer.data) == (200, PDF)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    told = answer.headers["Content-Disposition"]
    assert told.startswith('attachment; filename="')
    assert "filename*=UTF-8''%C3%89tude" in told
    part = client.get(handed[2], headers={"Range": "bytes=0-4"})
    assert (part.status_code, part.get_data()) == (206, b"%PDF-")


def test_strangers_and_former_holders_find_nothing(
    app: Flask, client: PageClient, handed: tuple[str, str, str]
) -> None:
    place, bobs, path = handed
    numbers, _, signature = path.rpartition("/")[2].partition("-")
    attendee, _, handout = numbers.partition(".")
    for forged in (
        f"{attendee}.{int(handout) + 1}-{signature}",
        f"{int(attendee) + 1}.{handout}-{signature}",
        place.rpartition("/")[2],
        "x",
    ):
        assert client.get(f"/handouts/{forged}").status_code == 404
    assert links(client, bobs) != {}
    with arranged(app):
        db.session.execute(update(Attendee).where(Attendee.id == int(attendee)).values(link_version=2))
    assert client.get(path).status_code == 404
    with arranged(app):
        db.session.execute(update(Attendee).values(state="cancelled", link_version=1))
    assert client.get(path).status_code == 404


def test_a_handout_of_another_workshop_is_not_theirs(
    app: Flask, client: PageClient, handed: tuple[str, str, str]
) -> None:
    other = a_recorded_workshop(app)
    number = add(app, other, "Not yours", "always")
    with app.app_context():
        ann = db.session.scalars(select(Attendee).where(Attendee.n == 0).order_by(Attendee.id)).first()
        assert ann
        path = handouts.url(ann, number).removeprefix("http://localhost")
    assert client.get(path).status_code == 404
    with app.app_context():
        assert len(list(db.session.scalars(select(Handout)))) == 2
