"""Files of policies with worked examples: does our reading of the rules give what each example expects?

A file holds `policies`, a list of policies, or one policy. Each may have `examples`: an action, its circumstances and
what is expected (docs/policies.md). No database, no clock.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import permutations
from pathlib import Path
from typing import Any

import yaml

from lib import zones
from policies import gaps
from policies.facts import Facts, Group
from policies.measures import Calendar, length
from policies.outcomes import Outcome, outcome
from policies.rules import PolicyRefused, Rules, read

_ABOUT = ("name", "action", "at", "expect", "accept", "working", "by_hand", "policy_snapshot", "note", "tz", "zone")
_MOMENTS = (
    "event_start",
    "event_date",
    "event_end",
    "first_session",
    "session_start",
    "target_event_start",
    "sessions",
)
_DATED = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d\S*)?")
_UNPAID = ("unpaid", "withdraw_unpaid")
_NAMED = frozenset(
    (
        *("price_minor", "paid_minor", "currency", "ticket", "product", "deposit_minor", "transfers_used"),
        *("substitutions_used", "target_price_minor", "target_events_after", "waiting_list", "reason", "proof"),
    )
)


class FileRefused(ValueError):
    """The file holds no policies that could be checked; the message says why."""


@dataclass(frozen=True)
class Checked:
    """What came of a file: how many examples there are, how many agree, and a line for each that does not.

    `faults` are policies that would be refused, `remarks` what a policy itself admits to leaving open.
    """

    total: int
    differences: tuple[str, ...]
    faults: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def agreed(self) -> int:
        return self.total - len(self.differences)

    @property
    def is_sound(self) -> bool:
        return not self.differences and not self.faults


def load(path: Path) -> list[Mapping[str, Any]]:
    """The policies of a YAML or JSON file. Raises FileRefused."""
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as problem:
        raise FileRefused(f"{path} cannot be read: {problem.strerror}.") from None
    except (yaml.YAMLError, ValueError) as problem:
        raise FileRefused(f"{path} is neither YAML nor JSON: {problem}") from None
    if isinstance(found, Mapping):
        found = found.get("policies", [found])
    if not isinstance(found, list) or not found or not all(isinstance(each, Mapping) for each in found):
        raise FileRefused(f"{path} holds no policies. It needs a list under `policies`, or one policy with `rules`.")
    return found


def check(policies: Sequence[Mapping[str, Any]]) -> Checked:
    """Work every example of every policy."""
    known: dict[str, Rules] = {}
    faults, remarks, differences, total = [], [], [], 0
    for number, policy in enumerate(policies, 1):
        name = _name(policy, number)
        try:
            known[name] = rules = read(policy)
        except PolicyRefused as refused:
            faults += [f"{name}: {fault}" for fault in refused.faults]
            continue
        said = [f"{name}: {fault}" for fault in gaps.faults(rules)]
        remarks += said if rules.admits else []
        faults += [] if rules.admits else said
    for number, policy in enumerate(policies, 1):
        name = _name(policy, number)
        for count, example in enumerate(policy.get("examples") or (), 1):
            total += 1
            if not isinstance(example, Mapping):
                differences.append(f"{name}, example {count}: it is no mapping")
            elif problem := _differs(known, name, policy, example):
                differences.append(f"{name}, {example.get('name', f'example {count}')}: {problem}")
    return Checked(total, tuple(differences), tuple(faults), tuple(remarks))


def _name(policy: Mapping[str, Any], number: int) -> str:
    return str(policy.get("id") or policy.get("name") or f"policy {number}")


def _differs(known: Mapping[str, Rules], name: str, policy: Mapping[str, Any], example: Mapping[str, Any]) -> str:
    """What is other than expected, or why the example could not be worked; nothing if all is as it should be."""
    sold_under = str(example.get("policy_snapshot") or name)
    if sold_under not in known:
        return f"it was sold under {sold_under}, which this file does not hold or which was refused"
    rules = known[sold_under]
    accepted = example.get("accept")
    also = accepted if isinstance(accepted, list) else []
    wanted = [each for each in (example.get("expect"), *also) if each is not None]
    if not wanted:
        return "it expects nothing; write `expect`"
    try:
        got = worked(rules, example, policy)
        found = [list(differences(each, got)) for each in wanted]
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as problem:
        return f"it cannot be worked: {problem}"
    if [] in found:
        return ""
    by_hand = " (marked by_hand)" if example.get("by_hand") else ""
    return "; ".join(found[0]) + by_hand


def worked(rules: Rules, example: Mapping[str, Any], policy: Mapping[str, Any] | None = None) -> Outcome:
    """The outcome of an example. Raises ValueError for circumstances that cannot be read."""
    zone = str(example.get("tz") or example.get("zone") or rules.zone)
    calendar = Calendar(zone, rules.holidays)
    action = str(example["action"])
    facts = circumstances(rules, example, calendar, (policy or {}).get("params") or {})
    at = _instant(example.get("at"), calendar) or facts.moment("event")
    if at is None:
        raise ValueError("it has no `at`")
    return outcome(rules, action, facts, at)


def circumstances(rules: Rules, example: Mapping[str, Any], calendar: Calendar, params: Mapping[str, Any]) -> Facts:
    """An example's circumstances as facts. Whatever is not one of ours stays a fact by its own name."""
    moments = {
        key: _instant(value, calendar)
        for key, value in example.items()
        if key != "sessions" and (key in _MOMENTS or key.endswith("_at") or _is_moment(value))
    }
    price = example.get("price_minor", params.get("price_minor", example.get("paid_minor", 0)))
    paid = example.get("paid_minor", 0 if example["action"] in _UNPAID else price)
    start = moments.get("event_start") or moments.get("event_date") or moments.get("first_session")
    sessions = [each for each in (_instant(said, calendar) for said in example.get("sessions") or ()) if each]
    return Facts(
        **{key: value for key, value in example.items() if key in _NAMED - {"price_minor", "paid_minor", "currency"}},
        price_minor=price,
        paid_minor=paid,
        currency=str(example.get("currency") or rules.currency),
        zone=calendar.zone,
        sessions=tuple(sessions) or ((start,) if start else ()),
        session_starts_at=moments.get("session_start"),
        ends_at=moments.get("event_end"),
        booked_at=moments.get("booked_at"),
        paid_at=moments.get("paid_at"),
        invoiced_at=moments.get("invoiced_at"),
        target_starts_at=moments.get("target_event_start") or moments.get("target_starts_at"),
        seat_resold=_known(example.get("seat_resold")),
        group=_group(example.get("group")),
        others={
            key: moments.get(key, _known(value))
            for key, value in example.items()
            if key not in _NAMED and key not in (*_ABOUT, *_MOMENTS, "seat_resold", "group")
        },
    )


def differences(expected: Mapping[str, Any], got: Outcome) -> Iterator[str]:
    """What of `expected` is other in the outcome; what it does not name may be anything."""
    found = spoken(got)
    for key, value in expected.items():
        if key == "options":
            if not _same_options(value, found["options"]):
                yield f"options are {found['options'] or 'none'}, expected {value}"
        elif _same(key, value) != found.get(key, False if value is False else None):
            shown = found.get(key)
            if shown is None and found["options"]:
                shown = f"one of the options {found['options']}"
            yield f"{key} is {shown}, expected {_same(key, value)}"


def spoken(got: Outcome) -> dict[str, Any]:
    """An outcome in the words of `expect`. Where the attendee chooses, the money is in the options alone."""
    money = ("refund_minor", "credit_minor", "fee_minor", "due_minor")
    said: dict[str, Any] = {key: None if got.options else getattr(got, key) for key in money}
    said |= {
        "allowed": got.allowed,
        "currency": got.currency,
        "discretionary": got.discretionary,
        "pending": got.pending,
        "lapse": got.lapse,
        "recording_access": got.recording,
        "move_charge_minor": got.move_charge_minor,
        "credit_use_charge_minor": got.credit_use_charge_minor,
        "credit_expires": got.credit_expires.isoformat() if got.credit_expires else None,
        "pay_when": got.pay_when or None,
        "pay_within": got.pay_within or None,
        "treat_as": got.treat_as or None,
        "proof": got.proof or None,
        "options": [_short(spoken(each)) for each in got.options],
    }
    return {**got.terms, **said}


def _short(said: dict[str, Any]) -> dict[str, Any]:
    """An option without what it does not speak of."""
    silent = {"allowed": True, "discretionary": False, "pending": False, "options": []}
    return {key: value for key, value in said.items() if value is not None and silent.get(key, key) != value}


def _same_options(expected: Any, found: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the options are those expected, in any order; each may say more than is expected of it."""
    if not isinstance(expected, list) or len(expected) != len(found):
        return False
    return any(all(map(_is_option, expected, order)) for order in permutations(found))


def _is_option(expected: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return all(_same(key, value) == found.get(key) for key, value in expected.items())


def _same(key: str, value: Any) -> Any:
    """What is expected, written as an outcome writes it: `14d` as 14 days."""
    if key == "pay_within" and isinstance(value, str):
        with suppress(ValueError):
            return str(length(value))
    return value.isoformat() if isinstance(value, date) else value


def _known(value: Any) -> Any:
    return None if value in ("unknown", "pending") else value


def _is_moment(value: Any) -> bool:
    return isinstance(value, date) or (isinstance(value, str) and bool(_DATED.fullmatch(value)))


def _group(said: Any) -> Group | None:
    if said is None:
        return None
    price = said.get("list_price_minor")
    return Group(said["size"], price, said.get("threshold"), said.get("leaving", 1))


def _instant(said: Any, calendar: Calendar) -> datetime | None:
    """An instant: a wall time in the policy's zone, a date (its first instant), or one that names its own offset."""
    if said is None or said == "":
        return None
    found = datetime.fromisoformat(said) if isinstance(said, str) else said
    if not isinstance(found, datetime):
        found = datetime.combine(found, time())
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    try:
        return zones.instant(found, calendar.zone)
    except zones.TimeSkipped:
        return calendar.instant(found)
