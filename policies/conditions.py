"""The `if` of a rule: what must hold for it. Read from data, judged against facts. Pure.

A key that is `notice` or ends in `_in`, `_ago` or `_notice` measures time; a key compared with a date is a moment;
every other key is a fact. All keys of a mapping must hold; `any`, `all` and `not` combine further mappings.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from policies.facts import Facts
from policies.measures import TICK, Calendar, Length, Stretch, length

Operand = Length | date | int | str | bool
_TEST = re.compile(r"(>=|<=|!=|>|<|=)\s*(\S.*)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?)?")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
TO_THE_EVENT, TO_A_MOMENT, SINCE, BETWEEN, MOMENT, FACT = "notice", "in", "ago", "booked_notice", "at", "fact"
TIMES = (TO_THE_EVENT, TO_A_MOMENT, SINCE, BETWEEN)


@dataclass(frozen=True)
class Test:
    """One comparison, such as >= 14 days."""

    sign: str
    operand: Operand

    def agrees(self, side: int) -> bool:
        """Whether something that is less (-1), the same (0) or more (1) than the operand passes."""
        return side in {">": (1,), ">=": (0, 1), "=": (0,), "<=": (-1, 0), "<": (-1,), "!=": (-1, 1)}[self.sign]


@dataclass(frozen=True)
class Atom:
    """One key of an `if`: any one of `ways` is enough, each of them needs all its tests."""

    key: str
    kind: str
    ways: tuple[tuple[Test, ...], ...]

    @property
    def moment(self) -> str:
        """The moment it is measured from or to: booked for booked_ago, event for notice."""
        if self.kind == TO_THE_EVENT:
            return "event"
        return re.sub(r"_(in|ago|notice|at|start)$", "", self.key)

    @property
    def tests(self) -> Iterator[Test]:
        return (test for way in self.ways for test in way)


@dataclass(frozen=True)
class Every:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Some:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    part: "Condition"


Condition = Atom | Every | Some | Not


def read(data: Any) -> Condition:
    """Read an `if`. Raises ValueError with a sentence for who wrote it."""
    if not isinstance(data, Mapping):
        raise ValueError("`if` needs a mapping of conditions, such as {notice: '>=14d'}.")
    parts: list[Condition] = []
    for key, value in data.items():
        if key in ("any", "all"):
            if not isinstance(value, list) or not value:
                raise ValueError(f"`{key}` needs a list of conditions.")
            parts.append((Some if key == "any" else Every)(tuple(map(read, value))))
        elif key == "not":
            parts.append(Not(read(value)))
        else:
            parts.append(_atom(str(key), value))
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def atoms(condition: Condition) -> Iterator[Atom]:
    """Every atom of a condition, however deep."""
    if isinstance(condition, Atom):
        yield condition
    elif isinstance(condition, Not):
        yield from atoms(condition.part)
    else:
        for part in condition.parts:
            yield from atoms(part)


def holds(condition: Condition, judge: Callable[[Atom], bool]) -> bool:
    """Whether the condition holds when `judge` says which atoms do."""
    if isinstance(condition, Atom):
        return judge(condition)
    if isinstance(condition, Not):
        return not holds(condition.part, judge)
    found = (holds(part, judge) for part in condition.parts)
    return all(found) if isinstance(condition, Every) else any(found)


@dataclass(frozen=True)
class Case:
    """Facts at an instant, with dates counted by one calendar and notice measured to one moment."""

    facts: Facts
    at: datetime
    calendar: Calendar
    anchor: str

    def judge(self, atom: Atom, is_hopeful: bool = False) -> bool:
        """Whether an atom holds. What is not known yet counts as true for the hopeful and as false otherwise."""
        if atom.kind == FACT:
            value = self.facts.value(atom.key, self.at)
            return any(all(_passes(test, is_hopeful if value is None else value) for test in way) for way in atom.ways)
        return any(all(self._passes_in_time(atom, test) for test in way) for way in atom.ways)

    def is_open(self, atom: Atom) -> bool:
        """Whether it is not known yet if this holds."""
        return atom.kind == FACT and self.facts.value(atom.key, self.at) is None

    def edges(self, atom: Atom) -> Iterator[datetime]:
        """The instants at which an atom may begin or cease to hold as time goes on."""
        if atom.kind in (FACT, BETWEEN) or (atom.kind == MOMENT and atom.key != "at"):
            return
        for test in atom.tests:
            stretch = self._stretch(atom, test.operand)
            if stretch is not None:
                yield from (stretch.start, stretch.end)

    def _passes_in_time(self, atom: Atom, test: Test) -> bool:
        stretch = self._stretch(atom, test.operand)
        looked_at = self.at
        if atom.kind == BETWEEN or (atom.kind == MOMENT and atom.key != "at"):
            found = self._moment(atom.moment)
            if found is None:
                return False
            looked_at = found
        if stretch is None:
            return False
        side = stretch.side(looked_at)
        return test.agrees(-side if atom.kind in (TO_THE_EVENT, TO_A_MOMENT, BETWEEN) else side)

    def _stretch(self, atom: Atom, operand: Operand) -> Stretch | None:
        """When the atom's measure is exactly `operand`; None while the moment it is measured from is not known."""
        if isinstance(operand, datetime):
            wall = self.calendar.instant(operand)
            return Stretch(wall, wall + TICK)
        if isinstance(operand, date):
            return self.calendar.dates(operand, operand)
        moment = self._moment("event" if atom.kind == BETWEEN else atom.moment)
        if moment is None or not isinstance(operand, Length):
            return None
        return (self.calendar.after if atom.kind == SINCE else self.calendar.before)(operand, moment)

    def _moment(self, name: str) -> datetime | None:
        found = self.facts.moment(self.anchor) if name == "event" else None
        return found or self.facts.moment(name)


def _atom(key: str, value: Any) -> Atom:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no name of a condition. One looks like notice, booked_ago or seat_resold.")
    kind = TO_THE_EVENT if key == "notice" else FACT
    for ending, found in (("_in", TO_A_MOMENT), ("_ago", SINCE), ("_notice", BETWEEN)):
        kind = found if key.endswith(ending) and len(key) > len(ending) else kind
    values = value if isinstance(value, list) else [value]
    if not values:
        raise ValueError(f"`{key}` has an empty list, so it could never hold.")
    if all(isinstance(each, bool) for each in values):
        kind = FACT  # opted_in: true
    ways = tuple(_tests(key, kind in TIMES, each) for each in values)
    if all(isinstance(each, str) and each.strip()[:1] in tuple("<>=!") for each in values):
        ways = (tuple(test for way in ways for test in way),)  # comparisons all hold, of values any one
    operands = [test.operand for way in ways for test in way]
    dates = [isinstance(operand, date) for operand in operands]
    if any(dates) and not all(dates):
        raise ValueError(f"`{key}` compares with dates and with other things at once.")
    return Atom(key, MOMENT if kind == FACT and all(dates) else kind, ways)


def _tests(key: str, is_time: bool, value: Any) -> tuple[Test, ...]:
    if isinstance(value, bool | int) and not is_time:
        return (Test("=", value),)
    if isinstance(value, date):
        value = value.isoformat()[:16] if isinstance(value, datetime) else value.isoformat()
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"`{key}: {value!r}` cannot be read. Comparisons look like '>=14d', '<2026-05-01' or '>=1'.")
    said = value.strip()
    if said[0] not in "<>=!":
        if is_time:
            raise ValueError(f"`{key}: {said}` does not say how to compare. Write '>={said}' or '<{said}'.")
        return (Test("=", _operand(key, said, is_time)),)
    tests = []
    for part in re.split(r"\s*(?:,|\band\b|\s(?=[<>=!]))\s*", said):
        found = _TEST.fullmatch(part)
        if found is None:
            raise ValueError(f"`{key}: {said}` cannot be read. Comparisons look like '>=14d' or '>=3d, <7d'.")
        tests.append(Test(found[1], _operand(key, found[2].strip(), is_time)))
    return tuple(tests)


def _operand(key: str, said: str, is_time: bool) -> Operand:
    if is_time:
        if said.isdigit():
            raise ValueError(f"`{key}` compares with {said}, but of what? Write {said}d, {said}wd, {said}w or {said}h.")
        return length(said)
    if _DATE.fullmatch(said):
        return datetime.fromisoformat(said) if "T" in said else date.fromisoformat(said)
    if said.lstrip("-").isdigit():
        return int(said)
    return {"true": True, "false": False}.get(said.lower(), said)


def _passes(test: Test, value: Any) -> bool:
    operand = test.operand
    if isinstance(operand, str) or isinstance(value, str):
        return (value == operand) is (test.sign == "=") if test.sign in ("=", "!=") else False
    if not isinstance(value, int | float):
        return False
    return test.agrees((value > operand) - (value < operand)) if isinstance(operand, int) else False
