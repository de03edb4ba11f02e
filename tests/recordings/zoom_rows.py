"""Rows of what Zoom told of."""

from datetime import datetime, timedelta
from typing import Any

from lib import clock, db
from recordings.zoom_models import ZoomFile, ZoomRecording


def a_zoom_recording(
    organiser_id: int,
    *,
    uuid: str = "uuid-1",
    topic: str = "Reflective Practice",
    started_at: datetime | None = None,
    why_failed: str = "",
    **columns: Any,
) -> ZoomRecording:
    """One that waits for somebody, with one film."""
    began = started_at or clock.now() - timedelta(days=1)
    made = ZoomRecording(
        organiser_id=organiser_id,
        uuid=uuid,
        meeting_id="91234567890",
        topic=topic,
        started_at=began,
        heard_at=began,
        **{"state": "waiting", "why": "none", **columns},
    )
    db.session.add(made)
    db.session.flush()
    db.session.add(
        ZoomFile(
            organiser_id=organiser_id,
            zoom_recording_id=made.id,
            zoom_id=f"file-of-{uuid}",
            kind="film",
            starts_at=began,
            size=1000,
            url="https://zoom.us/rec/1",
            token_until=began,
            state="failed" if why_failed else "listed",
            why=why_failed,
        )
    )
    db.session.flush()
    return made
