"""How long the films that were sent are kept: until the recording is published, and then as its organiser says."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select

from accounts.models import Organiser
from history import models as history
from lib import db
from recordings import publishing
from recordings.models import Recording

MOST_DAYS = 3650


def keep_for(organiser_id: int, days: int, *, actor: str, now: datetime) -> None:
    """For how many days after a recording was published its originals are kept."""
    organiser = db.session.scalars(select(Organiser).where(Organiser.id == organiser_id).with_for_update()).one()
    organiser.originals_days = days
    history.record(
        f"organiser:{organiser_id}", "originals_days_set", at=now, actor=actor, organiser_id=organiser_id,
        facts={"days": days},
    )  # fmt: skip


def outlived(now: datetime) -> list[int]:
    """The recordings whose originals have been kept for long enough after they were published and looked through."""
    wanted = (
        select(Recording, Organiser.originals_days)
        .join(Organiser, Organiser.id == Recording.organiser_id)
        .where(Recording.published_at.is_not(None), Recording.reviewed_at.is_not(None), Recording.making == "ready")
        .order_by(Recording.id)
    )
    return [each.id for each, days in db.session.execute(wanted) if _is_outlived(each, days, now)]


def remove(recording_id: int, cut_captions: Mapping[str, Mapping[str, str]], now: datetime) -> list[str]:
    """Remove what a recording was made of; `cut_captions` are those it goes on with. The keys no longer needed.

    Nothing is removed, and what was to replace its captions is, when something changed since.
    """
    recording = publishing.locked(recording_id)
    organiser = db.session.get_one(Organiser, recording.organiser_id)
    as_before = all(recording.captions.get(name, {}).get("key") == each["of"] for name, each in cut_captions.items())
    uncut = {name for name, each in recording.captions.items() if not each.get("cut")}
    needed = uncut if recording.kept else set()
    is_due = _is_outlived(recording, organiser.originals_days, now)
    if not (is_due and as_before and needed <= set(cut_captions)):
        return [each["key"] for each in cut_captions.values()]
    before = publishing.keys(recording) | {each.file for each in recording.parts if each.file}
    before |= {each["of"] for each in cut_captions.values()}
    for each in recording.parts:
        each.file = ""
    if recording.whole != recording.file:
        recording.whole = ""
    recording.captions = {
        name: {**each, "cut": True, "key": cut_captions[name]["key"]} if name in cut_captions else each
        for name, each in recording.captions.items()
    }
    history.record(
        f"recording:{recording.id}", "originals_removed", at=now, actor="worker", organiser_id=recording.organiser_id,
        facts={},
    )  # fmt: skip
    return sorted(before - publishing.keys(recording))


def _is_outlived(recording: Recording, days: int, now: datetime) -> bool:
    if recording.published_at is None or recording.reviewed_at is None or recording.draft:
        return False
    if recording.making != "ready":
        return False
    has_any = (recording.whole and recording.whole != recording.file) or any(each.file for each in recording.parts)
    return bool(has_any) and max(recording.published_at, recording.reviewed_at) + timedelta(days=days) <= now
