"""How long a recording can be watched, in words: made from the workshop's settings, so that no page says another."""

from typing import Protocol


class CatchUp(Protocol):
    """What a workshop says of its recording: a row or the catalogue's facts."""

    @property
    def catch_up_days(self) -> int: ...
    @property
    def catch_up_from(self) -> str: ...
    @property
    def late_buyers_share(self) -> bool: ...


def days(workshop: CatchUp) -> str:
    """28 days."""
    return "1 day" if workshop.catch_up_days == 1 else f"{workshop.catch_up_days} days"


def span(workshop: CatchUp) -> str:
    """For how long, in a few words: "for 28 days", "until 28 days after the last session"."""
    if workshop.catch_up_from == "last session":
        return f"until {days(workshop)} after the last session"
    return f"for {days(workshop)}"


def from_publication(workshop: CatchUp) -> str:
    """The same, for whoever has their place before it is published."""
    return span(workshop) if workshop.catch_up_from == "last session" else f"for {days(workshop)} from then on"


def rule(workshop: CatchUp, city: str) -> list[str]:
    """The whole rule as the workshop's page says it, a paragraph each."""
    whose = "Attendees whose ticket includes the recording can watch it"
    there = f"the same hour of the day in {city}"
    counted = {
        "last session": f"until {days(workshop)} after the last session has ended, at {there}",
        "purchase": f"for {days(workshop)} from the hour they book, or from when it is published where that is later, "
        f"until {there}",
        "each session published": f"for {days(workshop)}, counted for each session from when its recording is "
        f"published, until {there}",
    }
    plain = f"for {days(workshop)} from when it is published, until {there}"
    said = [f"It is recorded. {whose} {counted.get(workshop.catch_up_from, plain)}."]
    if workshop.catch_up_from == "purchase":
        return said
    if workshop.late_buyers_share:
        return [*said, "Whoever books late shares everybody's days: the recording closes for all at the same hour."]
    if workshop.catch_up_from == "last session":
        late = "Whoever books after a recording is published can watch it"
        return [*said, f"{late} for {days(workshop)} from the hour they book, or for as long as everybody else."]
    return [*said, "Whoever books later than that has as many days, from the hour they book."]
