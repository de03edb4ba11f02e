"""A policy's steps with their dates, worked out for one workshop: what somebody gets until when. Pure."""

from dataclasses import dataclass
from datetime import datetime

from policies import steps
from policies.amounts import AmountMissing
from policies.facts import Facts
from policies.outcomes import Outcome
from policies.promises import promise
from policies.rules import Rules

_RESOLD = "if somebody else takes your place, "


@dataclass(frozen=True)
class Deadline:
    """What holds until an instant, None for ever, and the sentence that says so."""

    until: datetime | None
    sentence: str


def of_cancelling(rules: Rules, facts: Facts, at: datetime) -> tuple[Deadline, ...]:
    """What comes back of this place, from `at` on, in the plain case that nothing but time changes.

    Nothing where the policy leaves it to the organiser, has no amount in the currency, or the workshop is over.
    """
    told = _told(rules, "cancel", facts, at)
    if not told or any(found.discretionary or not found.is_said for _, found in told):
        return ()
    made: list[Deadline] = []
    said = [(since, _promise(rules, found, facts.currency)) for since, found in told]
    runs = [each for n, each in enumerate(said) if n == 0 or each[1] != said[n - 1][1]]
    for n, (_, promised) in enumerate(runs):
        until = runs[n + 1][0] if n + 1 < len(runs) else None
        made.append(Deadline(until, f"{_when(until, facts.zone or rules.zone, is_first=n == 0)}{promised}."))
    return tuple(made)


def of_substitutes(rules: Rules, facts: Facts, at: datetime) -> Deadline | None:
    """Until when somebody else may come in this place; None if that is not offered now."""
    told = _told(rules, "substitute", facts, at)
    if not told or not told[0][1].allowed or told[0][1].discretionary:
        return None
    until = next((since for since, found in told if not found.allowed or found.discretionary), None)
    when = f" {steps.until(until, facts.zone or rules.zone)}" if until else ""
    return Deadline(until, f"Somebody else may come instead{when}; {_promise(rules, told[0][1], facts.currency)}.")


def _told(rules: Rules, action: str, facts: Facts, at: datetime) -> list[tuple[datetime, Outcome]]:
    ends = facts.ends_at or max(facts.sessions, default=at)
    try:
        found = steps.steps(rules, action, facts, at)
    except AmountMissing:
        return []
    return [(each.since, each.outcome) for each in found if each.since < ends]


def _promise(rules: Rules, found: Outcome, currency: str) -> str:
    rule = rules.rules[(found.rule or 1) - 1]
    said = promise(rule.says, rules, found.action, currency)
    return f"{said}; {_RESOLD}{_promise(rules, found.if_so, currency)}" if found.if_so else said


def _when(until: datetime | None, zone: str, *, is_first: bool) -> str:
    if until is None:
        return "Whenever you do, " if is_first else "After that "
    when = steps.until(until, zone)
    return f"{when[:1].upper()}{when[1:]} " if is_first else f"Then {when} "
