"""Times as an organiser types them: what does not exist is refused, what exists twice is asked about."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from courses import schedule
from courses.schedule import Meeting
from lib import zones

WHICH = (("", "Please choose"), ("0", "The first, before the clocks go back"), ("1", "The second, after"))


class TimeTwice(ValueError):
    """The wall time exists twice, and nobody has said which of the two is meant."""


@dataclass(frozen=True)
class Typed:
    """One session as typed. `first` and `second` are the answers about a start or an end that exists twice."""

    day: date
    starts: time
    ends: time
    title: str = ""
    is_recorded: bool = True
    which_start: str = ""
    which_end: str = ""

    @property
    def wall_start(self) -> datetime:
        return datetime.combine(self.day, self.starts)

    @property
    def wall_end(self) -> datetime:
        """The end, on the next day when the clock on the wall says no later than at the start."""
        later = timedelta(days=1) if self.ends <= self.starts else timedelta()
        return datetime.combine(self.day, self.ends) + later


def problems(typed: Typed, zone: str) -> dict[str, str]:
    """What stands against each field, a sentence each; none when it is a session."""
    found: dict[str, str] = {}
    for name, wall, which in (
        ("starts", typed.wall_start, typed.which_start),
        ("ends", typed.wall_end, typed.which_end),
    ):
        try:
            zones.instant(wall, zone)
        except zones.TimeSkipped as problem:
            found[name] = str(problem)
            continue
        if zones.happens_twice(wall, zone) and which not in ("0", "1"):
            found[name] = (
                f"{wall:%H:%M} comes twice on {zones.day(wall.date())} in {zones.city(zone)}, because the clocks go "
                "back over it. Please say below which one is meant."
            )
    if not found:
        try:
            schedule.instants(meeting(typed, zone))
        except ValueError as problem:
            found["ends"] = str(problem)
    return found


def is_twice(typed: Typed, zone: str) -> tuple[bool, bool]:
    """Whether the start and the end exist twice."""
    return zones.happens_twice(typed.wall_start, zone), zones.happens_twice(typed.wall_end, zone)


def meeting(typed: Typed, zone: str) -> Meeting:
    """The session. Raises what `schedule` raises for a time that does not exist."""
    return Meeting(
        typed.wall_start,
        typed.wall_end,
        zone,
        typed.title,
        int(typed.which_start or 0),
        int(typed.which_end or 0),
        typed.is_recorded,
    )


def said(typed: Typed, zone: str) -> str:
    """The session in three zones, as one line; or what stands against it."""
    if found := problems(typed, zone):
        return " ".join(found.values())
    starts_at, ends_at = schedule.instants(meeting(typed, zone))
    return zones.line(starts_at, ends_at, zone)
