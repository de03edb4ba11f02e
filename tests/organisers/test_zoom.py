"""The desk's page of Zoom: the app's words, what waits, what failed; each organiser's own."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from accounts.models import Organiser
from courses.models import WorkshopSession
from history.models import Entry
from lib import clock as product_clock
from lib import db, sealing
from lib.work import Job
from mail.models import Letter
from meetings.models import ZoomAccount
from recordings import from_zoom, uploads
from recordings.uploads import Upload
from recordings.zoom_models import ZoomFile, ZoomRecording
from tests.builders import a_meeting, a_workshop, an_organiser, arranged
from tests.organisers.conftest import DESK
from tests.organisers.desk import press, statements
from tests.page import PageClient, form, main_text
from tests.recordings.zoom_rows import a_zoom_recording

ZOOM = f"{DESK}/zoom"
WORDS = {"account_id": "acc-1", "client_id": "cli-1", "client_secret": "s3cret-one", "webhook_secret": "s3cret-two"}


def account(app: Flask) -> dict[str, Any] | None:
    """The app's words as they are kept, opened."""
    with app.app_context():
        found = db.session.scalars(select(ZoomAccount)).one_or_none()
        if found is None:
            return None
        return {
            "account_id": found.account_id,
            "client_id": found.client_id,
            "client_secret": sealing.opened(found.client_secret),
            "webhook_secret": sealing.opened(found.webhook_secret),
        }


def own(app: Flask) -> int:
    with app.app_context():
        return db.session.scalars(select(Organiser.id).where(Organiser.slug == "olu-trains")).one()


@pytest.mark.both_databases
def test_the_app_is_kept_sealed_and_its_secrets_are_never_shown(app: Flask, owner: PageClient) -> None:
    assert "http://localhost/zoom/webhook/olu-trains" in main_text(owner.get(ZOOM))
    answer = press(owner, ZOOM, "/zoom/account", **WORDS)
    assert answer.status_code == 303
    assert account(app) == WORDS
    page = owner.get(answer.location).get_data(as_text=True)
    assert "acc-1" in page
    assert "s3cret" not in page

    assert press(owner, ZOOM, "/zoom/account", client_id="cli-2", webhook_secret="s3cret-new").status_code == 303
    assert account(app) == {**WORDS, "client_id": "cli-2", "webhook_secret": "s3cret-new"}
    with app.app_context():
        facts = [(each.verb, each.facts) for each in db.session.scalars(select(Entry)) if "zoom" in each.verb]
    assert facts == [("zoom_account_saved", {})] * 2

    assert press(owner, ZOOM, "/zoom/removal").status_code == 303
    assert account(app) is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"client_secret": ""}, "Please copy the client secret from Zoom."),
        ({"webhook_secret": ""}, "Please copy the secret token from Zoom."),
        ({"account_id": ""}, "Please copy the account ID from Zoom."),
        ({"client_id": "two words"}, "This is one word of at most 100"),
        ({"client_secret": "s3crét"}, "This is one word of at most 100"),
        ({"webhook_secret": "x" * 101}, "This is one word of at most 100"),
    ],
)
def test_what_is_no_word_of_zooms_is_refused(app: Flask, owner: PageClient, typed: dict[str, str], said: str) -> None:
    answer = press(owner, ZOOM, "/zoom/account", **{**WORDS, **typed})

    assert answer.status_code == 422
    assert said in main_text(answer)
    assert "s3cr" not in answer.get_data(as_text=True)
    assert account(app) is None


@pytest.fixture
def recording_id(app: Flask, owner: PageClient) -> int:
    """One that waits, of a workshop of yesterday."""
    with arranged(app):
        a_workshop(slug="yesterday", title="Yesterday", sessions=[a_meeting(in_days=-1), a_meeting(in_days=-40)])
        a_workshop(slug="far", title="Far", in_days=30)
        return a_zoom_recording(own(app)).id


def state(app: Flask) -> tuple[str, int | None]:
    with app.app_context():
        row = db.session.execute(
            select(ZoomRecording.state, WorkshopSession.number).outerjoin(ZoomRecording.session)
        ).one()
        return row[0], row[1]


@pytest.mark.both_databases
def test_somebody_says_which_session_it_is_of(app: Flask, owner: PageClient, recording_id: int) -> None:
    choosing = form(owner.get(ZOOM), f"/recordings/{recording_id}/session")
    with app.app_context():
        near, far = db.session.scalars(
            select(WorkshopSession.id).order_by(WorkshopSession.starts_at.desc()).offset(1)
        ).all()
    offered = next(each for each in choosing.fields if each.name == "session")
    assert offered.choices == [str(near), str(far)], "the nearest first, and none that is still to come"

    answer = owner.submit(choosing, {"session": str(near)})
    assert answer.status_code == 303
    page = main_text(owner.get(answer.location))
    assert "It is fetched from Zoom now." in page
    assert "Being fetched" in page
    with app.app_context():
        upload = db.session.scalars(select(Upload)).one()
        assert (upload.source, upload.session_id, upload.by) == ("zoom", near, "user:1")
        assert [each.arguments for each in db.session.scalars(select(Job).where(Job.kind == from_zoom.FETCH))] == [
            {"file": 1}
        ]


def test_a_session_that_is_not_offered_is_refused(app: Flask, owner: PageClient, recording_id: int) -> None:
    with arranged(app):
        other = a_workshop(organiser=an_organiser(slug="pim"), slug="theirs", in_days=-1).sessions[0].id
    for chosen in (str(other), "", "none", "9999"):
        answer = owner.post(
            f"{ZOOM}/recordings/{recording_id}/session",
            data={**form(owner.get(ZOOM), "/session").values, "session": chosen},
        )
        assert answer.status_code == 422
        assert "Please choose the session that it is of" in main_text(answer)
    assert state(app) == ("waiting", None)


def test_what_is_put_aside_can_still_be_placed(app: Flask, owner: PageClient, recording_id: int) -> None:
    press(owner, ZOOM, f"/recordings/{recording_id}/removal")
    assert state(app) == ("left", None)
    assert "put aside" in main_text(owner.get(ZOOM))

    assert owner.submit(form(owner.get(ZOOM), "/session")).status_code == 303
    assert state(app) == ("placed", 2)


def test_what_failed_is_tried_again_by_a_button(app: Flask, owner: PageClient, recording_id: int) -> None:
    owner.submit(form(owner.get(ZOOM), "/session"))
    with arranged(app):
        from_zoom.failed(from_zoom.locked(1), "Zoom has this film no longer.", product_clock.now())
    page = owner.get(ZOOM)
    assert "Not fetched Film" in main_text(page)
    assert "Zoom has this film no longer." in main_text(page)
    with app.app_context():
        letter = db.session.scalars(select(Letter).where(Letter.template == "organiser_notice")).one()
        assert letter.values["title"] == "A recording did not come from Zoom"

    assert owner.submit(form(page, "/again")).status_code == 303
    with app.app_context():
        assert db.session.scalars(select(ZoomFile.state)).one() == "fetching"
        assert len(db.session.scalars(select(Job).where(Job.kind == from_zoom.FETCH)).all()) == 2


def test_what_is_anothers_does_not_exist(app: Flask, owner: PageClient, recording_id: int) -> None:
    with arranged(app):
        theirs = a_zoom_recording(an_organiser(slug="pim").id, topic="Of Pim").id
        files = {each.zoom_recording_id: each.id for each in db.session.scalars(select(ZoomFile))}
    page = owner.get(ZOOM)
    assert "Of Pim" not in main_text(page)
    token = form(page, "/session").values
    for path in (f"recordings/{theirs}/session", f"recordings/{theirs}/removal", f"files/{files[theirs]}/again"):
        assert owner.post(f"{ZOOM}/{path}", data=token).status_code == 404


def test_many_cost_what_few_do(app: Flask, owner: PageClient) -> None:
    def grow(numbers: range) -> int:
        with arranged(app):
            for n in numbers:
                session = a_workshop(slug=f"w{n}", in_days=-n - 1).sessions[0]
                began = product_clock.now() - timedelta(days=n)
                a_zoom_recording(own(app), uuid=f"waits-{n}", started_at=began)
                a_zoom_recording(
                    own(app), uuid=f"placed-{n}", started_at=began, state="placed", why="", session_id=session.id
                )
        return statements(app, lambda: owner.get(ZOOM))

    assert grow(range(2)) == grow(range(2, 20))


def test_a_session_may_go_whose_film_did_not_come(app: Flask, owner: PageClient, recording_id: int) -> None:
    owner.submit(form(owner.get(ZOOM), "/session"))
    with arranged(app):
        from_zoom.failed(from_zoom.locked(1), "Zoom has this film no longer.", product_clock.now())
        uploads.remove(uploads.locked(1), by="user:1", now=product_clock.now())
    there = f"{DESK}/workshops/yesterday"

    assert press(owner, there, f"{there}/delete").status_code == 303
    assert state(app) == ("waiting", None)
    with app.app_context():
        assert db.session.scalars(select(ZoomFile.state)).one() == "listed"
