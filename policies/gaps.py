"""Where a policy says nothing, says two things, or says something that can never be reached. Pure.

First match wins, so bands may be written as steps (over 30 days, over 14 days, else). Two rules overlap where both
state a bound and neither lies within the other: `>=14d` and `<=14d` both claim exactly 14 days, and the order they
happen to be written in is no answer to give a buyer.

Each thing a policy asks about is a dimension with finitely many places: exactly at each edge it names, and between
them. The rules for an action are judged at every combination of places.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product
from math import prod
from typing import Any

from lib import zones
from policies import conditions
from policies.conditions import FACT, SINCE, Atom, Condition, Every, Operand
from policies.measures import Length
from policies.rules import MOVES, Rule, Rules

_MOST = 200_000  # combinations; a real policy has some hundred
_SHOWN = 4


@dataclass(frozen=True)
class Dimension:
    """What one condition key can be: places in order, or the values named and any other."""

    key: str
    kind: str
    edges: tuple[Operand, ...]  # in order; of facts that are words or flags, the values
    places: tuple[int, ...]  # 2n+1 is exactly the edge n, even ones lie between

    @property
    def is_ordered(self) -> bool:
        return self.kind != FACT or all(_is_number(edge) for edge in self.edges)

    def judge(self, atom: Atom, place: int) -> bool:
        """Whether an atom of this key holds at a place."""

        def passes(test: conditions.Test) -> bool:
            exact = 2 * _index(self.edges, test.operand) + 1
            return test.agrees((place > exact) - (place < exact))

        return any(all(passes(test) for test in way) for way in atom.ways)


Spot = tuple[int, ...]  # a place in each dimension


def faults(rules: Rules) -> list[str]:
    """A sentence for each gap, overlap and rule that is never reached, naming the edge."""
    return [fault for action in rules.actions for fault in _of(rules, action)]


def _of(rules: Rules, action: str) -> Iterator[str]:
    about = rules.about(action)
    if mixed := _mixed(about):
        yield f"About {action}: `{mixed}` is compared with dates in one rule and with other things in another."
        return
    dimensions = _dimensions(about)
    if prod(len(each.places) for each in dimensions) > _MOST:
        yield f"The rules for {action} ask about too many things at once to be checked. Split them by action."
        return
    yield from _overlaps(action, about)
    answers = {
        spot: next((rule.number for rule in about if _holds(rule.condition, dimensions, spot)), None)
        for spot in product(*(each.places for each in dimensions))
    }
    for rule in about:
        if rule.number not in answers.values():
            yield f"About {action}: rule {rule.number} is never reached, the rules before it answer all it is about."
    yield from _gaps(action, dimensions, frozenset(spot for spot, number in answers.items() if number is None))


# Dimensions


def _dimensions(about: Sequence[Rule]) -> tuple[Dimension, ...]:
    found: dict[str, list[Atom]] = {}
    for rule in about:
        for atom in conditions.atoms(rule.condition):
            found.setdefault(atom.key, []).append(atom)
    return tuple(_dimension(key, atoms) for key, atoms in found.items())


def _mixed(about: Sequence[Rule]) -> str:
    """A key that cannot be put in order, since rules compare it with things of different kinds."""
    kinds: dict[str, str] = {}
    atoms = (atom for rule in about for atom in conditions.atoms(rule.condition))
    return next((each.key for each in atoms if kinds.setdefault(each.key, each.kind) != each.kind), "")


def _dimension(key: str, atoms: Sequence[Atom]) -> Dimension:
    edges: list[Operand] = []
    for atom in atoms:
        for test in atom.tests:
            if _index(edges, test.operand) < 0:
                edges.append(test.operand)
    kind = atoms[0].kind
    if kind == FACT and not all(_is_number(edge) for edge in edges):
        flags = all(isinstance(edge, bool) for edge in edges)
        values = (True, False) if flags else tuple(edges)
        others = () if flags else (2 * len(values),)  # any word the policy does not name
        return Dimension(key, kind, values, (*(2 * n + 1 for n in range(len(values))), *others))
    edges.sort(key=_order)
    places = [place for place in range(2 * len(edges) + 1) if place % 2 or _is_room(kind, edges, place // 2)]
    return Dimension(key, kind, tuple(edges), tuple(places))


def _is_room(kind: str, edges: Sequence[Operand], n: int) -> bool:
    """Whether anything lies between edge n - 1 and edge n; days and counts have nothing between neighbours."""
    if n == 0:  # below the first: counts, amounts and what has gone by never fall under nothing
        never_less = kind == SINCE or (kind == FACT and _is_number(edges[0]))
        return not (never_less and _order(edges[0]) == 0)
    if n == len(edges):
        return True
    low, high = edges[n - 1], edges[n]
    if isinstance(low, Length) and isinstance(high, Length):
        if low.unit == high.unit == "wd" and not low.clock and not high.clock:
            return high.count - low.count > 1
        return low.days is None or high.days is None or high.days - low.days > 1
    if isinstance(low, int) and isinstance(high, int):
        return high - low > 1
    return not (type(low) is type(high) is date and high - low == timedelta(days=1))


def _order(edge: Operand) -> Any:
    if isinstance(edge, Length):
        return edge.nominal
    return edge.isoformat() if isinstance(edge, date) else edge


def _index(edges: Sequence[Operand], operand: Operand) -> int:
    """Where an operand is among the edges: two weeks are where 14 days are, True is not where 1 is."""
    return next((n for n, edge in enumerate(edges) if _same(edge, operand)), -1)


def _same(one: Operand, other: Operand) -> bool:
    if isinstance(one, Length) and isinstance(other, Length) and one.days is not None:
        return one.days == other.days
    return type(one) is type(other) and one == other


def _is_number(edge: Operand) -> bool:
    return isinstance(edge, int) and not isinstance(edge, bool)


def _holds(condition: Condition, dimensions: Sequence[Dimension], spot: Spot) -> bool:
    known = {each.key: (each, place) for each, place in zip(dimensions, spot, strict=True)}

    def judge(atom: Atom) -> bool:
        dimension, place = known[atom.key]
        return dimension.judge(atom, place)

    return conditions.holds(condition, judge)


# Overlaps


def _overlaps(action: str, about: Sequence[Rule]) -> Iterator[str]:
    for n, one in enumerate(about):
        for other in about[n + 1 :]:
            if (pair := _differ_in_one(one, other)) and one.says != other.says:
                dimension = _dimension(pair[0].key, pair)
                first, second = ({p for p in dimension.places if dimension.judge(atom, p)} for atom in pair)
                both = first & second
                if both and not first <= second and not second <= first:
                    where = _named(dimension, sorted(both))
                    yield f"About {action}: {where} two rules say different things ({one.number} and {other.number})."


def _differ_in_one(one: Rule, other: Rule) -> tuple[Atom, Atom] | None:
    """The two atoms by which two rules differ, if it is one key, in order, and all else is the same."""
    first, second = _flat(one.condition), _flat(other.condition)
    if first is None or second is None or first.keys() != second.keys():
        return None
    differing = [key for key in first if first[key] != second[key]]
    if len(differing) != 1 or (first[differing[0]].kind == FACT and not _is_counted(first[differing[0]])):
        return None
    return first[differing[0]], second[differing[0]]


def _flat(condition: Condition) -> Mapping[str, Atom] | None:
    parts = (condition,) if isinstance(condition, Atom) else condition.parts if isinstance(condition, Every) else None
    if parts is None or not all(isinstance(part, Atom) for part in parts):
        return None
    return {part.key: part for part in parts if isinstance(part, Atom)}


def _is_counted(atom: Atom) -> bool:
    return all(_is_number(test.operand) for test in atom.tests)


# Gaps


def _gaps(action: str, dimensions: Sequence[Dimension], silent: frozenset[Spot]) -> Iterator[str]:
    """The silent spots, as runs along the dimension that tells most: time first, then counts, then facts."""
    if not silent or not dimensions:
        return
    main = next((n for n, each in enumerate(dimensions) if each.kind != FACT), None)
    if main is None:
        main = next((n for n, each in enumerate(dimensions) if each.is_ordered), 0)
    dimension, others = dimensions[main], [*dimensions[:main], *dimensions[main + 1 :]]
    # What goes unsaid about these stands for "no": to offer nothing from some edge on is no gap, a hole between is.
    is_no = action in (*MOVES, "unpaid") or action.startswith("provider_")
    found: dict[Spot, list[Spot]] = {}
    for rest in sorted({spot[:main] + spot[main + 1 :] for spot in silent}):
        missing = [place for place in dimension.places if (*rest[:main], place, *rest[main:]) in silent]
        for run in _runs(dimension, missing):
            at_an_end = run[0] == dimension.places[0] or run[-1] == dimension.places[-1]
            if not (is_no and (at_an_end or not dimension.is_ordered)):
                found.setdefault(run, []).append(rest)
    for run, rests in list(found.items())[:_SHOWN]:
        yield f"About {action}: {_named(dimension, run)}{_where(others, rests)} nothing is said."


def _runs(dimension: Dimension, places: Sequence[int]) -> Iterator[Spot]:
    """Neighbours together, where places have an order."""
    run: list[int] = []
    for place in places:
        is_next = run and dimension.places.index(place) == dimension.places.index(run[-1]) + 1
        if run and not (is_next and dimension.is_ordered):
            yield tuple(run)
            run = []
        run.append(place)
    if run:
        yield tuple(run)


def _where(others: Sequence[Dimension], rests: Sequence[Spot]) -> str:
    """For which other facts, unless it is for all."""
    said = []
    for n, dimension in enumerate(others):
        places = sorted({rest[n] for rest in rests})
        if len(places) < len(dimension.places):
            said += [_named(dimension, run) for run in _runs(dimension, places)][:1]
    return f", {', '.join(said)}," if said else ""


def _named(dimension: Dimension, run: Sequence[int]) -> str:
    """A run of places in words, by its edges."""
    if not dimension.is_ordered:
        return _valued(dimension, run[0])
    low, high = run[0], run[-1]
    below = dimension.edges[low // 2 if low % 2 else low // 2 - 1] if low else None
    above = dimension.edges[high // 2] if high < 2 * len(dimension.edges) else None
    after = _suffix(dimension)
    if low == high and low % 2:
        return f"at exactly {_edge(below)}{after}"
    if below is not None and above is not None:
        included = [_edge(edge) for edge, place in ((below, low), (above, high)) if place % 2]
        note = f" ({'both' if len(included) == 2 else included[0]} included)" if included else ""
        return f"between {_edge(below)} and {_edge(above)}{after}{note}"
    if above is not None and dimension.key == "notice" and isinstance(above, Length) and not above.count:
        return "from the start of the workshop on" if high % 2 else "after the start of the workshop"
    if above is not None:
        return f"{'up to and at' if high % 2 else 'under'} {_edge(above)}{after}"
    if below is not None:
        return f"{'from' if low % 2 else 'over'} {_edge(below)}{' on' if low % 2 else ''}{after}"
    return f"whatever the {dimension.key}"


def _valued(dimension: Dimension, place: int) -> str:
    if place % 2 == 0:
        return f"with {dimension.key} none of those named"
    value = dimension.edges[place // 2]
    return f"with {dimension.key} {str(value).lower() if isinstance(value, bool) else value}"


def _edge(edge: Operand | None) -> str:
    if isinstance(edge, Length):
        return f"{edge}{f' at {edge.clock:%H:%M}' if edge.clock else ''}"
    return (
        f"{zones.day(edge)}{f', {edge:%H:%M}' if isinstance(edge, datetime) else ''}"
        if isinstance(edge, date)
        else str(edge)
    )


def _suffix(dimension: Dimension) -> str:
    if dimension.key == "notice":
        return " before the workshop"
    return "" if dimension.key == "at" else f" ({dimension.key})"
