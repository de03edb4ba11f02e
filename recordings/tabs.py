"""Open pages of a player, told apart, so that none of them reports more than can have been played in it.

A page carries a stamp: who it is and when it was opened, signed. The first report of a page is measured from then, each
further one from the one before, which `Viewing.tabs` remembers for the latest of them.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from recordings.watching import MOST_SPEED

KEPT = 20


@dataclass(frozen=True)
class Tab:
    """One page that was opened at `opened_at`."""

    id: str
    opened_at: datetime


def stamp(attendee_id: int, recording_id: int, now: datetime) -> str:
    """The mark of a page that is opened now by this attendee for this recording."""
    return _signer().dumps([secrets.token_hex(8), attendee_id, recording_id, now.isoformat()])


def read(text: str, attendee_id: int, recording_id: int, now: datetime) -> Tab:
    """The page of a stamp; for a text that is none of ours or somebody else's, a nameless page opened now."""
    try:
        found = _signer().loads(text)
    except BadData:
        return Tab("", now)
    name, attendee, recording, opened_at = found
    if (attendee, recording) != (attendee_id, recording_id):
        return Tab("", now)
    return Tab(name, datetime.fromisoformat(opened_at))


def most(tabs: Mapping[str, Any], tab: Tab, now: datetime) -> int:
    """How many seconds of film the page can have played since it last reported."""
    last = tabs.get("last", {}).get(tab.id)
    if last is not None:
        since = datetime.fromisoformat(last)
    elif tabs.get("before", "") and tab.opened_at <= datetime.fromisoformat(tabs["before"]):
        since = now  # it may have reported long ago and been forgotten: its time counts from here
    else:
        since = tab.opened_at
    return max(int((now - since).total_seconds() * MOST_SPEED), 0)


def reported(tabs: Mapping[str, Any], tab: Tab, now: datetime) -> dict[str, Any]:
    """The pages that are remembered once this one has reported; no page opened before a forgotten one is new again."""
    last = {**tabs.get("last", {}), tab.id: now.isoformat()}
    by_time = sorted(last, key=lambda name: datetime.fromisoformat(last[name]), reverse=True)
    forgotten = [last[name] for name in by_time[KEPT:]]
    before = max((at for at in (tabs.get("before"), *forgotten) if at), key=datetime.fromisoformat, default="")
    return {"before": before, "last": {name: last[name] for name in by_time[:KEPT]}}


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="recordings.tab")
