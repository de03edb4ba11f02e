"""How an answer changes as time goes on: what a buyer gets until when. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lib import zones
from policies import conditions
from policies.facts import Facts
from policies.outcomes import Outcome, case, outcome
from policies.rules import Rules


@dataclass(frozen=True)
class Step:
    """An answer, and the instant (UTC) from which it holds."""

    since: datetime
    outcome: Outcome


def steps(rules: Rules, action: str, facts: Facts, at: datetime) -> tuple[Step, ...]:
    """The answer at `at` and each other answer that time alone will bring, in order."""
    found = case(rules, facts, at)
    edges = {
        edge
        for rule in rules.about(action)
        for atom in conditions.atoms(rule.condition)
        for edge in found.edges(atom)
        if edge > at
    } | {start for start in facts.sessions if start > at}  # what remains of a course shrinks as sessions begin
    made = [Step(at.astimezone(UTC), outcome(rules, action, facts, at))]
    for edge in sorted(edges):
        next_one = outcome(rules, action, facts, edge)
        if _figures(next_one) != _figures(made[-1].outcome):
            made.append(Step(edge, next_one))
    return tuple(made)


def worsening(rules: Rules, action: str, facts: Facts, at: datetime) -> Step | None:
    """The first later answer that is worse for the attendee than the one at `at`, or None if none will be."""
    now, *coming = steps(rules, action, facts, at)
    return next((step for step in coming if worth(step.outcome) < worth(now.outcome)), None)


def worsens_at(rules: Rules, action: str, facts: Facts, at: datetime) -> datetime | None:
    """The instant from which the answer is worse than now: a moment before it, it is not yet."""
    step = worsening(rules, action, facts, at)
    return None if step is None else step.since


def until(worse_from: datetime, zone: str) -> str:
    """The last moment of the better answer for people: until the end of Friday 14 March 2025, or until 10:00 on it."""
    there = zones.wall(worse_from, zone)
    last = zones.wall(worse_from - timedelta(microseconds=1), zone)
    if last.date() != there.date():
        return f"until the end of {zones.day(last.date())}"
    return f"until {zones.moment(last, zone)}"


def worth(found: Outcome) -> tuple[bool, int, int, int, int]:
    """For putting answers in order from the attendee's side: may I, money back, credit, what I pay, choices."""
    ways = found.options or (found,)
    return (
        found.allowed,
        max(way.refund_minor for way in ways),
        max(way.credit_minor for way in ways),
        -min(way.due_minor for way in ways),
        len(found.options),
    )


def _figures(found: Outcome) -> tuple[object, ...]:
    own = (found.allowed, found.refund_minor, found.credit_minor, found.fee_minor, found.due_minor, found.lapse)
    more = (found.recording, found.discretionary, found.move_charge_minor, dict(found.terms), found.is_said)
    return (*own, *more, *map(_figures, found.options), found.if_so and _figures(found.if_so))
