"""Recordings that Zoom told of: placed at their session, and what becomes of each file. The only door to their states.

A person says where the recording belongs when its number and time do not, or when the session has a film from
elsewhere: two films of one session are never put together by themselves, and nothing is put before those who watch.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from accounts.models import Organiser
from bookings import letters
from courses.models import Workshop, WorkshopSession
from history import models as history
from lib import db, work, zones
from meetings.models import MeetingPoint, ZoomEvent
from meetings.zoom_inbox import TOKEN_LASTS
from recordings import tus, uploads, zoom_matching
from recordings.models import Recording
from recordings.uploads import Upload
from recordings.zoom_matching import Meeting
from recordings.zoom_models import ZoomFile, ZoomRecording

FETCH = "recordings.fetch_from_zoom"
WAITS_FOR_YOU = "A recording from Zoom waits for you"
DID_NOT_COME = "A recording did not come from Zoom"
WAITS = timedelta(days=1)  # how long before and after a recording its sessions are looked for


def hear(event_id: int, most: int, now: datetime) -> None:
    """Take in what an event told, as often as it is asked: a file that is known already is not taken twice.

    `most` is how many bytes a film may have.
    """
    event = db.session.get_one(ZoomEvent, event_id)
    told = event.told
    films, words = zoom_matching.films(told["files"]), zoom_matching.transcript(told["files"])
    if not films and not words:
        return
    meeting = _recording(event, films[0]["starts_at"] if films else told["started_at"], now)
    known = {(each.kind, each.starts_at) for each in meeting.files}
    for kind, file in [*(("film", each) for each in films), *([("transcript", words)] if words else [])]:
        starts_at = datetime.fromisoformat(file["starts_at"])
        if (kind, starts_at) not in known:
            _list(meeting, kind, file, starts_at, event)
    db.session.flush()
    if meeting.state == "waiting":
        is_new = not meeting.why
        _place(meeting)
        if is_new and meeting.state == "waiting":
            _tell_team(meeting, WAITS_FOR_YOU, "Please say which session it is of: at the desk, under Zoom.", now)
    if meeting.state == "placed":
        _begin(meeting, most, "zoom", now)


def choose(meeting: ZoomRecording, session: WorkshopSession, most: int, *, actor: str, now: datetime) -> None:
    """Somebody says which session it is of. Its film comes after what the session has; the review says what counts."""
    if meeting.state == "placed":
        return
    meeting.state, meeting.why, meeting.session_id = "placed", "", session.id
    _record(meeting, "zoom_recording_placed", actor, now)
    _begin(meeting, most, actor, now)


def leave(meeting: ZoomRecording, *, actor: str, now: datetime) -> None:
    """Somebody says that it is of none of the sessions. It stays at Zoom, and can still be placed."""
    if meeting.state == "waiting":
        meeting.state, meeting.why = "left", ""
        _record(meeting, "zoom_recording_left", actor, now)


def let_go(session_ids: Collection[int]) -> None:
    """The sessions are deleted: what was placed at them, and did not come, waits for another one."""
    for meeting in db.session.scalars(select(ZoomRecording).where(ZoomRecording.session_id.in_(sorted(session_ids)))):
        meeting.state, meeting.why, meeting.session_id = "waiting", "none", None
        for file in meeting.files:
            file.state, file.why, file.upload_id, file.etag = "listed", "", None, ""
    db.session.flush()


def again(file: ZoomFile, most: int, *, actor: str, now: datetime) -> None:
    """Fetch a file that failed, from where it stood."""
    if file.state != "failed":
        return
    session = file.recording.session
    upload = db.session.get(Upload, file.upload_id) if file.upload_id else None
    if session and file.kind == "film" and (upload is None or upload.state != "arriving"):
        file.upload_id, file.etag = None, ""
        _begin_film(file, session, uploads.next_position(session.id), most, actor, now)
    else:
        _fetch(file, now)


def fetched(file: ZoomFile) -> None:
    """All of it is here."""
    file.state, file.why = "fetched", ""


def failed(file: ZoomFile, why: str, now: datetime) -> None:
    """It did not come; `why` is a sentence for the team, who get a letter with it."""
    file.state, file.why = "failed", why[:300]
    _tell_team(file.recording, DID_NOT_COME, why, now)


def noted(file: ZoomFile, etag: str) -> None:
    """What has come is of this version of the file."""
    file.etag = etag[:200]


def locked(file_id: int) -> ZoomFile:
    """The row, held until the transaction ends."""
    return db.session.scalars(_file(file_id)).one()


def find_file(organiser_id: int, file_id: int) -> ZoomFile | None:
    """One of the organiser's, held until the transaction ends."""
    return db.session.scalars(_file(file_id).where(ZoomFile.organiser_id == organiser_id)).one_or_none()


def of_organiser(organiser_id: int, most: int = 100) -> list[ZoomRecording]:
    """What Zoom told of lately, newest first, with sessions and files; as many statements for many as for one."""
    wanted = (
        select(ZoomRecording)
        .where(ZoomRecording.organiser_id == organiser_id)
        .order_by(ZoomRecording.started_at.desc(), ZoomRecording.id.desc())
        .limit(most)
        .options(
            joinedload(ZoomRecording.session).joinedload(WorkshopSession.workshop), selectinload(ZoomRecording.files)
        )
    )
    return list(db.session.scalars(wanted))


def find(organiser_id: int, recording_id: int) -> ZoomRecording | None:
    """One of the organiser's, held until the transaction ends."""
    return db.session.scalars(
        select(ZoomRecording)
        .where(ZoomRecording.id == recording_id, ZoomRecording.organiser_id == organiser_id)
        .with_for_update(of=ZoomRecording)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _file(file_id: int) -> Select[ZoomFile]:
    return (
        select(ZoomFile)
        .where(ZoomFile.id == file_id)
        .with_for_update(of=ZoomFile)
        .options(joinedload(ZoomFile.recording).joinedload(ZoomRecording.session))
        .execution_options(populate_existing=True)
    )


def _recording(event: ZoomEvent, started_at: str, now: datetime) -> ZoomRecording:
    told = event.told
    values = {
        "organiser_id": event.organiser_id,
        "uuid": told["uuid"],
        "meeting_id": told["meeting_id"],
        "topic": told["topic"],
        "started_at": datetime.fromisoformat(started_at),
        "state": "waiting",
        "why": "",
        "heard_at": now,
    }
    row = db.insert_or(ZoomRecording).values(values)
    db.session.execute(row.on_conflict_do_nothing(index_elements=["organiser_id", "uuid"]))
    return db.session.scalars(
        select(ZoomRecording)
        .where(ZoomRecording.organiser_id == event.organiser_id, ZoomRecording.uuid == told["uuid"])
        .with_for_update(of=ZoomRecording)
        .execution_options(populate_existing=True)
    ).one()


def _list(meeting: ZoomRecording, kind: str, file: Mapping[str, Any], starts_at: datetime, event: ZoomEvent) -> None:
    row = db.insert_or(ZoomFile).values(
        organiser_id=meeting.organiser_id,
        zoom_recording_id=meeting.id,
        zoom_id=file["id"],
        kind=kind,
        starts_at=starts_at,
        size=file["size"],
        url=file["url"],
        token=event.token,
        token_until=event.received_at + TOKEN_LASTS,
        etag="",
        state="listed",
        why="",
    )
    db.session.execute(row.on_conflict_do_nothing(index_elements=["organiser_id", "zoom_id"]))
    db.session.expire(meeting, ["files"])


def _place(meeting: ZoomRecording) -> None:
    near = zoom_matching.sessions_of(meeting.meeting_id, meeting.started_at, _meetings(meeting))
    if len(near) != 1:
        meeting.why = "several" if near else "none"
    elif _has_film(near[0]):
        meeting.why = "has_film"
    else:
        meeting.state, meeting.why, meeting.session_id = "placed", "", near[0]
        db.session.flush()


def _meetings(meeting: ZoomRecording) -> Sequence[Meeting]:
    """The sessions of about that day with a link to a meeting at Zoom."""
    wanted = (
        select(WorkshopSession.id, MeetingPoint.url, WorkshopSession.starts_at, WorkshopSession.ends_at)
        .join(MeetingPoint, MeetingPoint.session_id == WorkshopSession.id)
        .join(Workshop, Workshop.id == WorkshopSession.workshop_id)
        .where(
            WorkshopSession.organiser_id == meeting.organiser_id,
            WorkshopSession.cancelled_at.is_(None),
            Workshop.status != "cancelled",
            WorkshopSession.starts_at <= meeting.started_at + WAITS,
            WorkshopSession.ends_at >= meeting.started_at - WAITS,
        )
    )
    return [
        Meeting(session_id, zoom_matching.number_in(url), starts_at, ends_at)
        for session_id, url, starts_at, ends_at in db.session.execute(wanted)
    ]


def _has_film(session_id: int) -> bool:
    """Whether its recording is before people already, or a film of it came from elsewhere."""
    state = db.session.scalar(select(Recording.state).where(Recording.session_id == session_id))
    ways = set(
        db.session.scalars(
            select(Upload.source).where(Upload.session_id == session_id, Upload.state.in_(("arriving", "arrived")))
        )
    )
    return state in ("published", "withdrawn") or bool(ways - {"zoom"}) or (state is not None and not ways)


def _begin(meeting: ZoomRecording, most: int, by: str, now: datetime) -> None:
    session = db.session.get_one(WorkshopSession, meeting.session_id)
    position = uploads.next_position(session.id)
    for file in meeting.files:
        if file.state != "listed":
            continue
        if file.kind == "film":
            _begin_film(file, session, position, most, by, now)
            position += 1
        else:
            _fetch(file, now)


def _begin_film(file: ZoomFile, session: WorkshopSession, position: int, most: int, by: str, now: datetime) -> None:
    if file.size > most:
        failed(file, f"It has {tus.size(file.size)}, and a film may have {tus.size(most)}. It stays at Zoom.", now)
        return
    name = f"{file.recording.topic or 'Zoom'}.mp4"
    upload = uploads.begin(session, filename=name, length=file.size, source="zoom", by=by, now=now, position=position)
    file.upload_id = upload.id
    _fetch(file, now)


def _fetch(file: ZoomFile, now: datetime) -> None:
    file.state, file.why = "fetching", ""
    work.post(FETCH, f"zoom_file:{file.id}", now, {"file": file.id})


def _tell_team(meeting: ZoomRecording, title: str, sentence: str, now: datetime) -> None:
    organiser = db.session.get_one(Organiser, meeting.organiser_id)
    which = f"“{meeting.topic or 'Without a topic'}”, recorded {zones.moment(meeting.started_at, organiser.zone)}."
    letters.notice(organiser, f"zoom_recording:{meeting.id}", title, [which, sentence], None, now)


def _record(meeting: ZoomRecording, verb: str, actor: str, now: datetime) -> None:
    history.record(
        f"zoom_recording:{meeting.id}", verb, at=now, actor=actor, organiser_id=meeting.organiser_id,
        facts={"session": meeting.session_id},
    )  # fmt: skip
