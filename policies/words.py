"""Policies in whole sentences for buyers, made from the same data the answers come from. British English. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lib import money, zones
from policies.conditions import BETWEEN, FACT, MOMENT, SINCE, Atom, Condition, Every, Some, Test, atoms
from policies.measures import Length, length
from policies.promises import promise
from policies.rules import ACTIONS, FOLLOWS, MOVES, Rule, Rules

TOO_FAR = "The date you would like lies outside the time within which you may move."
_TITLES = {
    "cancel": "If you cancel",
    "no_show": "If you do not come",
    "transfer": "Moving to another date or workshop",
    "substitute": "Sending somebody else",
    "unpaid": "Unpaid bookings",
    "provider_cancel": "If we cancel",
    "provider_postpone": "If we postpone",
    "provider_change": "If we change the workshop",
    "withdraw": "Withdrawing a booking",
    "withdraw_unpaid": "Withdrawing a booking you have not paid yet",
    "cancel_one_of_group": "Groups",
    "leave_early": "Attending only a part",
}
_MOMENTS = {
    "event": "the workshop",
    "first_session": "the first session",
    "last_session": "the last session",
    "session": "the session",
    "event_end": "the end of the workshop",
    "booked": "booking",
    "booking": "booking",
    "purchase": "booking",
    "paid": "payment",
    "invoiced": "the invoice",
    "invoice": "the invoice",
}
_FACTS = {
    ("seat_resold", True): "your place is taken by somebody else",
    ("seat_resold", False): "nobody else takes your place",
    ("waiting_list", True): "the workshop has a waiting list",
    ("waiting_list", False): "the workshop has no waiting list",
    ("replacement_found", True): "you find somebody for your place",
    ("replacement_found", False): "you find nobody for your place",
    ("medical", True): "you are ill and send us evidence",
    ("compassionate", True): "somebody close to you is ill or has died",
    ("same_organisation", True): "the other person works for the same organisation",
    ("proof", True): "you send us evidence",
    ("member", True): "you are a member",
    ("member", False): "you are not a member",
}
_OFTEN = {"transfers_used": "moved", "substitutions_used": "changed who comes"}
_SIGNS = {">=": "at least ", ">": "more than ", "<": "less than ", "<=": "at most ", "=": "", "!=": "other than "}


@dataclass(frozen=True)
class Passage:
    """What the policy says about one action."""

    action: str
    title: str
    sentences: tuple[str, ...]


def explain(rules: Rules, *currencies: str) -> tuple[Passage, ...]:
    """The whole policy for buyers, an action at a time. `currencies` are what they may pay in: amounts are told in
    these, unless the policy has a currency of its own."""
    return tuple(
        Passage(action, _title(action), tuple(_sentences(rules, action, currencies))) for action in rules.actions
    )


def _title(action: str) -> str:
    return _TITLES.get(action, action.replace("_", " ").capitalize())


def _sentences(rules: Rules, action: str, currencies: tuple[str, ...]) -> Iterator[str]:
    about = rules.about(action)
    for rule in about:
        yield sentence(rules, action, rule, *currencies)
    if sum(not rule.is_unconditional for rule in about) > 1:
        yield "Where more than one of these sentences fits, the first of them holds."
    if any(atom.key == "seat_resold" for rule in about for atom in atoms(rule.condition)):
        yield "Whether somebody takes your place is known only later; until then the answer stays open."
    limits = rules.limits
    if action in MOVES and not any(rule.is_unconditional for rule in about):
        yield "In all other cases this is not part of our policy, but you may ask us."
    if action == "transfer" and "transfers_max" in limits:
        yield f"You may move {_times(limits['transfers_max'])}."
    if action == "transfer" and "transfer_window" in limits:
        yield _window(limits["transfer_window"])


def sentence(rules: Rules, action: str, rule: Rule, *currencies: str) -> str:
    """One rule as a sentence, as it stands among the rules for `action`."""
    about = rules.about(action)
    head = _head(action, about)
    said = promise(rule.says, rules, action, *currencies)
    note = f" {rule.says['note']}" if rule.says.get("note") else ""
    if rule.is_unconditional:
        start = f"{head}, " if rule is about[0] else "In all other cases "
        return f"{start}{said}.{note}"
    return f"{head}{_joined(_when(rule.condition, rules))}, {said}.{note}"


def limit_reached(action: str, most: int) -> str:
    """Why another move is refused."""
    done = "changed who comes" if action in ("substitute", "name_change") else "moved"
    return (
        f"You have {done} {_times(most)}, which is as often as the policy allows." if most else "This is not offered."
    )


def _head(action: str, about: tuple[Rule, ...]) -> str:
    while about and action not in about[0].actions and action in FOLLOWS:
        action = FOLLOWS[action]
    return ACTIONS.get(action, f"In the case of {action.replace('_', ' ')}")


def _joined(phrases: list[tuple[bool, str]]) -> str:
    """Times first, as they follow the verb: `If you cancel 14 days or more before the workshop and you are ill`."""
    times = [text for is_fact, text in phrases if not is_fact]
    facts = [text for is_fact, text in phrases if is_fact]
    said = f" {' and '.join(times)}" if times else ""
    return f"{said}{' and ' if facts else ''}{' and '.join(facts)}"


def _when(condition: Condition, rules: Rules) -> list[tuple[bool, str]]:
    """Phrases that all hold: whether each is a clause of its own, and its text."""
    if isinstance(condition, Atom):
        is_clause = condition.kind in (FACT, BETWEEN) or (condition.kind == MOMENT and condition.key != "at")
        return [(is_clause, _atom(condition, rules))]
    if isinstance(condition, Every):
        return [phrase for part in condition.parts for phrase in _when(part, rules)]
    if isinstance(condition, Some):
        ways = [_alone(part, rules) for part in condition.parts]
        return [(True, f"either {' or '.join(ways)}")]
    return [(True, f"it is not the case that {_alone(condition.part, rules)}")]


def _alone(condition: Condition, rules: Rules) -> str:
    parts = [text if is_fact else f"this is {text}" for is_fact, text in _when(condition, rules)]
    return " and ".join(parts)


def _atom(atom: Atom, rules: Rules) -> str:
    return " or ".join(_way(atom, way, rules) for way in atom.ways)


def _way(atom: Atom, way: tuple[Test, ...], rules: Rules) -> str:
    if atom.kind == FACT:
        return " and ".join(_fact(atom.key, test, rules) for test in way)
    if atom.kind == MOMENT:
        said = " and ".join(_date(test) for test in way)
        return said if atom.key == "at" else f"{_noun(atom.moment, rules)} is {said}"
    if len(way) == 2 and {test.sign[0] for test in way} == {"<", ">"}:
        low, high = sorted(way, key=lambda test: test.sign, reverse=True)
        return f"{_amount(low)} but {_amount(high)} {_side(atom, rules)}"
    return " and ".join(_time(atom, test, rules) for test in way)


def _time(atom: Atom, test: Test, rules: Rules) -> str:
    assert isinstance(test.operand, Length)
    if test.operand.clock:
        by = {"<=": "by", ">=": "by" if atom.kind != SINCE else "from", ">": "before", "<": "after"}.get(
            test.sign, "at"
        )
        return f"{by} {test.operand.clock:%H:%M}, {test.operand} {_side(atom, rules)}"
    if not test.operand.count and test.sign in (">", ">=") and atom.kind != SINCE:
        return _side(atom, rules)
    if atom.kind == SINCE and test.sign == "<=":
        return f"within {test.operand} of {_noun(atom.moment, rules)}"
    return f"{_amount(test)} {_side(atom, rules)}"


def _amount(test: Test) -> str:
    assert isinstance(test.operand, Length)
    of = str(test.operand)
    return {
        ">": f"more than {of}",
        ">=": f"{of} or more",
        "<": f"less than {of}",
        "<=": f"{of} or less",
        "=": f"exactly {of}",
        "!=": f"not exactly {of}",
    }[test.sign]


def _side(atom: Atom, rules: Rules) -> str:
    if atom.kind == SINCE:
        return f"after {_noun(atom.moment, rules)}"
    if atom.kind == BETWEEN:
        return f"before the workshop was the time of {_noun(atom.moment, rules)}"
    return f"before {_noun(rules.anchor if atom.key == 'notice' else atom.moment, rules)}"


def _noun(moment: str, rules: Rules) -> str:
    return rules.words.get(moment) or _MOMENTS.get(moment) or moment.replace("_", " ")


def _date(test: Test) -> str:
    operand = test.operand
    assert isinstance(operand, date)
    said = zones.day(operand) + (f", {operand:%H:%M}" if isinstance(operand, datetime) else "")
    signs = {">": "after", ">=": "on or after", "<": "before", "<=": "on or before", "=": "on", "!=": "not on"}
    return f"{signs[test.sign]} {said}"


def _fact(key: str, test: Test, rules: Rules) -> str:
    operand = test.operand
    own = rules.words.get(f"{key}={str(operand).lower() if isinstance(operand, bool) else operand}")
    if own and test.sign == "=":
        return own
    if isinstance(operand, bool) and test.sign == "=":
        own = rules.words.get(key)
        plain = own if own and operand else f"it is not so that {own}" if own else ""
        default = f"{key.replace('_', ' ')} {'holds' if operand else 'does not hold'}"
        return plain or _FACTS.get((key, operand), default)
    if key in _OFTEN and isinstance(operand, int):
        if (test.sign, operand) in ((">=", 1), (">", 0)):
            return f"you have {_OFTEN[key]} before"
        if (test.sign, operand) in (("=", 0), ("<", 1)):
            return f"you have not {_OFTEN[key]} before"
        return f"you have {_OFTEN[key]} {_SIGNS[test.sign]}{_times(operand)} already"
    named = rules.words.get(key) or f"the {key.removesuffix('_minor').replace('_', ' ')}"
    value = operand.replace("_", " ") if isinstance(operand, str) else operand
    if key.endswith("_minor") and isinstance(operand, int) and rules.currency:
        value = money.text(operand, rules.currency)
    return f"{named} is {_SIGNS[test.sign]}{value}"


def _times(count: int) -> str:
    return {0: "not at all", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _window(said: Any) -> str:
    if isinstance(said, Mapping):
        way, pieces = next(iter(said.items()))
        which = "longer" if way == "longest_of" else "shorter"
        return f"The new date must be within the {which} of {' and '.join(map(_piece, pieces))} of the first."
    if isinstance(said, date) or said[4:5] == "-":
        return f"The new date must be on or before {_piece(said)}."
    return f"The new date must be within {_piece(said)} of the first."


def _piece(said: Any) -> str:
    if "event" in str(said):
        return str(said)
    return zones.day(date.fromisoformat(str(said))) if str(said)[4:5] == "-" else str(length(said))
