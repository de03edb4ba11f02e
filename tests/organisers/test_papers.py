"""Papers in versions, and what an organiser says of itself: colour within contrast, a logo that is a picture."""

import io
from fractions import Fraction

import pytest
from flask import Flask
from sqlalchemy import select

from accounts import branding
from accounts.models import Organiser, Paper
from bookings import terms
from bookings.models import Booking
from history.models import Entry
from lib import db
from tests.bookings import making
from tests.builders import a_workshop, an_organiser, arranged
from tests.organisers.desk import a_team, press, signed_in
from tests.page import PageClient, form, main_text

DESK = "/organise/olu-trains"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


@pytest.fixture
def owner(app: Flask) -> PageClient:
    return signed_in(app, a_team(app)["owner"])


def organiser(app: Flask) -> Organiser:
    with app.app_context():
        found = db.session.scalars(select(Organiser).where(Organiser.slug == "olu-trains")).one()
        db.session.expunge_all()
        return found


def write(owner: PageClient, text: str, kind: str = "terms") -> int:
    page = owner.get(f"{DESK}/papers/{kind}")
    return owner.submit(form(page, f"/papers/{kind}"), {"text": text}).status_code


@pytest.mark.parametrize("kind", ["terms", "privacy", "accessibility"])
def test_the_houses_own_text_stands_until_there_is_another(owner: PageClient, client: PageClient, kind: str) -> None:
    house = main_text(client.get(f"/{kind}"))
    assert main_text(client.get(f"/organisers/olu-trains/{kind}")) == house
    assert "own text" in main_text(owner.get(f"{DESK}/papers"))

    assert write(owner, f"# Our {kind}\n\nBe **kind**.", kind) == 303

    page = client.get(f"/organisers/olu-trains/{kind}")
    assert "Be kind." in main_text(page)
    assert "<strong>kind</strong>" in page.get_data(as_text=True)
    assert "Version 1" in main_text(page)
    assert main_text(client.get(f"/{kind}")) == house
    assert main_text(client.get(f"/organisers/pim/{kind}")) == house


def test_a_version_is_never_edited(app: Flask, owner: PageClient, client: PageClient) -> None:
    for text in ("The first.", "The second.", "The second."):
        assert write(owner, text) == 303

    with app.app_context():
        assert [(each.version, each.text) for each in db.session.scalars(select(Paper).order_by(Paper.id))] == [
            ("1", "The first."),
            ("2", "The second."),
        ]
        assert (
            list(db.session.scalars(select(Entry.verb).where(Entry.verb == "paper_written"))) == ["paper_written"] * 2
        )
    first = main_text(client.get("/organisers/olu-trains/terms?version=1"))
    assert "The first." in first
    assert "There is a newer one" in first
    assert "The second." in main_text(client.get("/organisers/olu-trains/terms"))
    house = main_text(client.get(f"/organisers/olu-trains/terms?version={terms.CURRENT}"))
    assert f"Version {terms.CURRENT}" in house
    for version in ("3", "2%00", "x"):
        assert client.get(f"/organisers/olu-trains/terms?version={version}").status_code == 404
    assert client.get("/organisers/nobody/terms").status_code == 404


def test_a_preview_writes_nothing(app: Flask, owner: PageClient) -> None:
    page = owner.get(f"{DESK}/papers/terms")
    seen = owner.post(
        f"{DESK}/papers/terms/preview", data={**form(page, "/papers/terms").values, "text": "## Times\n\n*Soon*"}
    )

    assert "<h3>Times</h3>" in seen.get_data(as_text=True)
    assert "<em>Soon</em>" in seen.get_data(as_text=True)
    with app.app_context():
        assert db.session.scalars(select(Paper)).all() == []
    assert write(owner, "  ") == 422
    assert write(owner, "x" * 60_001) == 422


def test_markup_in_a_paper_is_cleaned(owner: PageClient, client: PageClient) -> None:
    assert write(owner, "<script>alert(1)</script><b onclick='x'>Bold</b> [go](javascript:x)") == 303

    page = client.get("/organisers/olu-trains/terms").get_data(as_text=True)
    for bad in ("alert(1)", "onclick", 'href="javascript'):
        assert bad not in page


def test_a_booking_keeps_the_version_it_agreed_to(app: Flask, owner: PageClient, client: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(price_minor=0).slug
        number = an_organiser().id
    fields: dict[str, str | bool] = {
        "attendee-0-name": "Ann Attwood",
        "attendee-0-email": "ann@clinic.example",
        "booker_name": "Bea Booker",
        "booker_email": "bea@clinic.example",
        "agree_terms": True,
    }

    def book() -> None:
        page = client.get(f"/workshops/{slug}/bookings/new")
        assert 'href="/organisers/olu-trains/terms"' in page.get_data(as_text=True)
        assert client.submit(form(page, "/bookings"), fields).status_code == 303
        fields["attendee-0-email"] = "ann2@clinic.example"

    book()
    assert write(owner, "Ours.") == 303
    book()

    with app.app_context():
        kept = list(db.session.scalars(select(Booking.terms_version).order_by(Booking.id)))
    assert kept == [terms.CURRENT, f"{number}:1"]
    assert making.rows(app)["paper"] == 1


def test_settings_are_saved_and_kept_in_history(app: Flask, owner: PageClient) -> None:
    done = press(
        owner,
        f"{DESK}/settings",
        "/settings/words",
        name="Olu Trains Ltd",
        about="We **teach**.",
        phone="+44 20 7946 0018",
        email="Post@Olu-Trains.example",
        address="2 Station Road",
        colour="3C7D94",
    )
    assert done.status_code == 303, main_text(done)

    now = organiser(app)
    assert (now.name, now.phone, now.email, now.colour) == (
        "Olu Trains Ltd",
        "+44 20 7946 0018",
        "post@olu-trains.example",
        "#3c7d94",
    )
    with app.app_context():
        kept = db.session.scalars(select(Entry).where(Entry.verb == "settings_changed")).one()
        assert "email" in kept.facts["fields"]


def test_a_colour_nobody_sees_is_refused_with_its_ratio(owner: PageClient) -> None:
    for colour, words in (("#ffee88", "our paper by day"), ("#101010", "by night"), ("red", "six figures")):
        refused = press(owner, f"{DESK}/settings", "/settings/words", colour=colour)
        assert refused.status_code == 422
        assert words in main_text(refused)
    for typed in ({"name": ""}, {"email": "x"}, {"phone": "call me"}):
        assert press(owner, f"{DESK}/settings", "/settings/words", **typed).status_code == 422


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#ffffff", "#ffffff", 1), ("#777777", "#ffffff", Fraction(448, 100))],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: Fraction) -> None:
    assert abs(branding.contrast(one, other) - ratio) < Fraction(1, 100)


def upload(owner: PageClient, content: bytes, name: str = "logo.png") -> int:
    page = owner.get(f"{DESK}/settings")
    token = form(page, "/settings/logo").values["csrf_token"] if "Remove the logo" not in main_text(page) else None
    token = token or page.get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "logo": (io.BytesIO(content), name)}
    return owner.post(f"{DESK}/settings/logo", data=data, content_type="multipart/form-data").status_code


def test_a_logo_is_shown_and_nothing_else_is_taken(
    app: Flask, owner: PageClient, client: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(branding, "MOST_BYTES", 4096)  # larger bodies go through a file of the test client's
    assert client.get("/organisers/olu-trains/logo").status_code == 404
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    for content in (b"", svg, b"GIF89a", b"<html>", PNG + b"\x00" * 4096):
        assert upload(owner, content) == 422
    assert upload(owner, PNG, "evil.svg") == 303

    seen = client.get("/organisers/olu-trains/logo")
    assert (seen.status_code, seen.mimetype, seen.data) == (200, "image/png", PNG)
    assert seen.headers["X-Content-Type-Options"] == "nosniff"
    first = organiser(app).logo
    jpeg = b"\xff\xd8\xff" + b"\x00" * (branding.MOST_BYTES - 3)
    assert upload(owner, jpeg) == 303
    assert client.get("/organisers/olu-trains/logo").mimetype == "image/jpeg"
    assert branding.logo(first) is None
    assert press(owner, f"{DESK}/settings", "/logo/removal").status_code == 303
    assert client.get("/organisers/olu-trains/logo").status_code == 404


def test_a_logo_may_have_512_kb() -> None:
    assert branding.kind(PNG + b"\x00" * (512 * 1024 - len(PNG))) == "png"
    with pytest.raises(branding.LogoRefused, match="512 kB"):
        branding.kind(PNG + b"\x00" * (512 * 1024 - len(PNG) + 1))


def test_a_logo_needs_its_token(owner: PageClient) -> None:
    data = {"logo": (io.BytesIO(PNG), "logo.png")}
    answer = owner.post(f"{DESK}/settings/logo", data=data, content_type="multipart/form-data")
    assert answer.status_code == 400


def test_the_colour_is_a_band(app: Flask, owner: PageClient, client: PageClient) -> None:
    assert client.get("/organisers/olu-trains/colours.css").data == b""
    with arranged(app):
        an_organiser().colour = "#127694"
    seen = client.get("/organisers/olu-trains/colours.css")
    assert seen.mimetype == "text/css"
    assert "#127694" in seen.get_data(as_text=True)
    assert write(owner, "Ours.") == 303
    assert "colours.css" in client.get("/organisers/olu-trains/terms").get_data(as_text=True)
