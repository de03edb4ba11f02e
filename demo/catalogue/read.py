"""The demo's data files as typed values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from courses.schedule import Meeting

HERE = Path(__file__).parent
GAP_WEEK = "gap week"


@dataclass(frozen=True)
class Ticket:
    """A ticket type as the files have it; `until` is the last second of its sale on the workshop's wall."""

    code: str
    name: str
    hint: str
    kind: str
    seats: int
    is_full_price: bool
    payment: str
    proof: str
    has_recording: bool
    limited_to: int | None
    until: datetime | None
    closes_minutes_before: int | None
    sold_days_after: int | None
    prices: Mapping[str, int]
    chosen: Mapping[str, Any] | None
    terms: Mapping[str, Any]
    deposit: Mapping[str, Any] | None
    pool: str | None
    for_each_session: bool


@dataclass(frozen=True)
class Question:
    code: str
    label: str
    choices: tuple[str, ...]
    is_tick: bool
    is_private: bool


@dataclass(frozen=True)
class CatchUp:
    """`share`: whoever buys late has the days that everybody has."""

    offered: bool = True
    counted_from: str = "published"
    note: str = ""
    share: bool = False


@dataclass(frozen=True)
class When:
    """How a date is found from now: a rerun of past sessions, a weekday some days away, minutes from now, or before a
    recording was published."""

    rerun: int | str | None = None
    after_days: int = 0
    weekday: int = 0
    hours: tuple[time, time] = (time(10), time(16))
    starts_in_minutes: int | None = None
    minutes: int = 0
    published_days_ago: int = 0
    published: time | None = None


@dataclass(frozen=True)
class Taught:
    """A course and how it is delivered: everything but its dates, and its past sessions if it has some.

    `published_at` is when the film of the past date was published, on the wall there.
    """

    slug: str
    title: str
    topic: str
    summary: str
    description: str
    outcomes: str
    audience: str
    programme: str
    policy: str | None
    access: str
    presenters: tuple[str, ...]
    format: str
    zone: str
    past: tuple[Meeting, ...]
    when: When
    is_full: bool
    taken: int
    breaks_minutes: int
    cpd_minutes: int
    capacity: Mapping[str, int]
    has_venue: bool
    tickets: tuple[Ticket, ...]
    catch_up: CatchUp
    questions: tuple[Question, ...]
    published_at: datetime | None = None
    required_at_rerun: frozenset[str] = frozenset()
    asked_in_the_room: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Promised:
    """A policy of the organisers: what they call it and the template it is made from."""

    name: str
    template: str


@dataclass(frozen=True)
class Files:
    """All of it."""

    courses: tuple[Taught, ...]
    own: tuple[Taught, ...]
    recorded: tuple[Taught, ...]
    elsewhere: tuple[Taught, ...]
    presenters: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    venue: Mapping[str, str] = field(default_factory=dict)
    abouts: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[Mapping[str, Any], ...] = ()
    bundles: tuple[Mapping[str, Any], ...] = ()
    promises: Mapping[str, Promised] = field(default_factory=dict)


@lru_cache(maxsize=1)
def files() -> Files:
    """Read the four files beside this one."""
    facts, own, words, practical = (_load(name) for name in ("workshops", "own", "words", "practical"))

    def taught(rows: list[dict[str, Any]]) -> tuple[Taught, ...]:
        return tuple(_taught(row, facts, words["descriptions"], practical) for row in rows)

    return Files(
        courses=taught(facts["courses"]),
        own=taught(own["courses"]),
        recorded=taught(own["recorded"]),
        elsewhere=taught(own["other_organiser"]),
        presenters={slug: (each["name"], each["about"]) for slug, each in words["presenters"].items()},
        venue=facts["venue"],
        abouts={slug: _paragraph(text) for slug, text in practical["organisers"].items()},
        codes=tuple(facts["codes"]),
        bundles=tuple(facts["bundles"]),
        promises={key: Promised(**each) for key, each in practical["policies"].items()},
    )


def _load(name: str) -> dict[str, Any]:
    found = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def _taught(
    row: Mapping[str, Any], facts: Mapping[str, Any], descriptions: Mapping[str, str], practical: Mapping[str, Any]
) -> Taught:
    description, rest = descriptions[row["slug"]].split("### By the end you will be able to\n")
    outcomes, audience = rest.split("### Who it is for\n")
    format = row.get("format", "online_live")
    catch_up = row.get("catch_up", {})
    offered = bool(catch_up.get("offered", True))
    return Taught(
        slug=row["slug"],
        title=row["title"],
        topic=row["topic"],
        summary=row["summary"],
        description=description.strip(),
        outcomes="\n".join(_paragraph(each) for each in f"\n{outcomes}".split("\n- ") if each.strip()),
        audience=_paragraph(audience),
        programme=practical["programmes"][row["slug"]].strip(),
        policy=row.get("policy"),
        access=practical["access"]["hybrid" if format == "hybrid" else "online"].strip(),
        presenters=tuple(row["presenters"]),
        format=format,
        zone=row["zone"],
        past=_past(row, offered),
        when=_when(row),
        is_full=bool(row.get("is_full", False)),
        taken=int(row.get("taken", 0)),
        breaks_minutes=row["breaks_minutes"],
        cpd_minutes=row["cpd_minutes"],
        capacity=row["capacity"],
        has_venue=bool(row.get("has_venue", False)),
        tickets=tuple(_ticket(each, facts["kinds"][each["code"]], offered) for each in row["tickets"]),
        catch_up=CatchUp(
            offered, catch_up.get("from", "published"), catch_up.get("note", ""), bool(catch_up.get("share", False))
        ),
        questions=tuple(_question(code, facts["questions"][code]) for code in row.get("questions", ())),
        published_at=datetime.fromisoformat(row["film_published"]) if "film_published" in row else None,
        required_at_rerun=frozenset(row.get("required_at_rerun", ())),
        asked_in_the_room=frozenset(row.get("asked_in_the_room", ())),
    )


def _paragraph(text: str) -> str:
    """A text that the file breaks into lines, on one."""
    return " ".join(text.split())


def _past(row: Mapping[str, Any], is_recorded: bool) -> tuple[Meeting, ...]:
    titles = row.get("session_titles") or [""] * len(row.get("sessions", ()))
    return tuple(
        Meeting(*_walls(text), row["zone"], title, is_recorded=is_recorded)
        for text, title in zip(row.get("sessions", ()), titles, strict=True)
    )


def _walls(text: str) -> tuple[datetime, datetime]:
    """`2024-10-18 10:00-16:00` as two wall times."""
    day, hours = text.split()
    starts, ends = _hours(hours)
    on = date.fromisoformat(day)
    return datetime.combine(on, starts), datetime.combine(on, ends)


def _hours(text: str) -> tuple[time, time]:
    starts, ends = text.split("-")
    return time.fromisoformat(starts), time.fromisoformat(ends)


def _when(row: Mapping[str, Any]) -> When:
    if "rerun" in row:
        return When(rerun=row["rerun"])
    if "after_days" in row:
        return When(after_days=row["after_days"], weekday=row["weekday"], hours=_hours(row["hours"]))
    if "published_days_ago" in row:
        published = time.fromisoformat(row["published"])
        return When(published_days_ago=row["published_days_ago"], published=published, hours=_hours(row["hours"]))
    return When(starts_in_minutes=row["starts_in_minutes"], minutes=row["minutes"])


def _ticket(row: Mapping[str, Any], kind: Mapping[str, Any], offered: bool) -> Ticket:
    default_kind = kind.get("kind", "admission")
    return Ticket(
        code=row["code"],
        name=kind["name"],
        hint=row.get("hint", kind["hint"]),
        kind=default_kind,
        seats=kind.get("seats", 1),
        is_full_price=bool(kind.get("full_price", False)),
        payment="deposit" if "deposit" in row else kind.get("payment", "now"),
        proof=row.get("proof", "none"),
        has_recording=bool(row.get("recording", offered and default_kind != "extra")),
        limited_to=row.get("limited_to"),
        until=datetime.fromisoformat(row["until"]) if "until" in row else None,
        closes_minutes_before=row.get("closes_minutes_before"),
        sold_days_after=row.get("sold_days_after"),
        prices=row.get("prices", {}),
        chosen=row.get("chosen"),
        terms=row.get("terms", {}),
        deposit=row.get("deposit"),
        pool=row.get("pool", "all" if default_kind == "admission" else None),
        for_each_session=bool(row.get("each_session", False)),
    )


def _question(code: str, row: Mapping[str, Any]) -> Question:
    return Question(
        code=code,
        label=row["label"],
        choices=tuple(row.get("choices", ())),
        is_tick=bool(row.get("tick", False)),
        is_private=bool(row.get("private", False)),
    )
