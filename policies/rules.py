"""A policy as it is written in data, and what of it can be read. Pure.

`read` refuses what cannot be understood; `gaps.faults` names what is understood but says nothing or two things.
docs/policies.md describes the language for who writes one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from lib import zones
from policies import conditions
from policies.conditions import Condition, Every
from policies.measures import Length, length

# What a rule may be about. Other actions may be named too; these are the ones the product asks about.
ACTIONS = {
    "cancel": "If you cancel",
    "cancel_one_of_group": "If one person of a group cancels",
    "withdraw": "If you withdraw a booking",
    "withdraw_unpaid": "If you withdraw a booking you have not paid yet",
    "no_show": "If you do not come",
    "leave_early": "If you attend only a part",
    "substitute": "If somebody else takes your place",
    "transfer": "If you move to another date or workshop",
    "unpaid": "If a booking is not paid",
    "provider_cancel": "If we cancel",
    "provider_postpone": "If we postpone",
    "provider_change": "If we change the workshop",
}
MOVES = ("transfer", "substitute", "move", "swap", "exchange", "name_change")
# Where a policy has no rule for an action, another's rules answer.
FOLLOWS = {
    "cancel_one_of_group": "cancel",
    "withdraw": "cancel",
    "withdraw_unpaid": "withdraw",
    "no_show": "cancel",
    "leave_early": "no_show",
}
ANCHORS = {
    "event_start": "event",
    "event_date": "event",
    "first_session": "first_session",
    "session": "session",
    "last_session": "last_session",
    "event_end": "event_end",
    "purchase": "event",
    "invoice": "event",
    "fixed_dates": "event",
}
PERCENTS = (
    *("refund_pct", "minus_pct", "credit_pct", "credit_minus_pct"),
    *("charge_pct", "owe_pct", "move_charge_pct", "vat_pct"),
)
AMOUNTS = (
    *("refund_minor", "refund_cap_minor", "keep_minor", "minus_minor", "minus_pct_cap_minor", "minus_pct_min_minor"),
    *("credit_minor", "credit_minus_minor", "credit_use_charge_minor"),
    *("charge_minor", "charge_pct_cap_minor", "charge_pct_min_minor", "owe_minor", "move_charge_minor"),
)
FLAGS = (
    *("keep_deposit", "credit_rest", "owe_full_price", "allowed", "discretionary", "recording_access", "lapse"),
)  # fmt: skip
BASES = ("of", "minus_pct_of", "credit_of", "charge_of", "owe_of")
WORDS = {
    "price_difference": ("pay", "both", "credit", "none"),
    "credit_expires_from": ("notice", "event", "booking"),
    "pay_when": (),
    "treat_as": (),
    "proof": (),
    "note": (),
}
LENGTHS = ("credit_expires", "pay_within")
LISTS = ("choose", "parts")
RESULTS = (*PERCENTS, *AMOUNTS, *FLAGS, *BASES, *WORDS, *LENGTHS, *LISTS)
_MEASURES = ("notice", "booked_ago", "invoiced_ago", "paid_ago", "booked_notice", "seat_resold", "transfers_used")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ABOVE = (
    *("id", "name", "currency", "tz", "anchor", "holidays", "params", "limits", "rules", "words", "examples"),
    *("gaps", "not_visible", "facts", "instalments"),
)
_MAPPINGS, _LISTED = ("params", "limits", "words"), ("holidays", "gaps", "not_visible", "examples")
_LARGEST = 10**12  # minor units
_LIMITS = ("transfers_max", "substitutions_max", "transfer_window")


class PolicyRefused(ValueError):
    """The data is no policy that could be kept. `faults` are sentences, each naming the rule and what is wrong."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(" ".join(self.faults))


Result = Mapping[str, Any]  # what a rule says, read: percents as fractions, lengths as lengths, choices as results


@dataclass(frozen=True)
class Rule:
    """One rule: what it is about, when it holds, what it then says. `number` counts from 1 as written."""

    number: int
    actions: tuple[str, ...]
    condition: Condition
    says: Result

    @property
    def is_unconditional(self) -> bool:
        return isinstance(self.condition, Every) and not self.condition.parts


@dataclass(frozen=True)
class Rules:
    """A policy, read. `currency` is empty where amounts are in whatever is paid in; `admits` are its own words about
    what it leaves open."""

    name: str
    currency: str
    zone: str
    anchor: str
    holidays: frozenset[date]
    params: Mapping[str, int]
    limits: Mapping[str, Any]
    rules: tuple[Rule, ...]
    words: Mapping[str, str]
    admits: tuple[str, ...]

    def about(self, action: str) -> tuple[Rule, ...]:
        """The rules for an action in the order they are asked, its own or those of the action it follows."""
        found: tuple[Rule, ...] = ()
        asked: str | None = action
        while not found and asked is not None:
            found = tuple(rule for rule in self.rules if asked in rule.actions)
            asked = FOLLOWS.get(asked)
        return found

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions that have rules of their own, as first written."""
        return tuple(dict.fromkeys(action for rule in self.rules for action in rule.actions))


def read(data: Any) -> Rules:
    """Read a policy. Raises PolicyRefused naming everything that cannot be understood."""
    if not isinstance(data, Mapping):
        raise PolicyRefused(["A policy is a mapping with `rules`."])
    faults = [_unknown(str(key), _ABOVE) for key in data if key not in _ABOVE and _meant(str(key), _ABOVE)]
    if shapeless := [*_shapeless(data, _MAPPINGS, Mapping, "mapping"), *_shapeless(data, _LISTED, list, "list")]:
        raise PolicyRefused([*faults, *shapeless])
    currency = "" if data.get("currency") in (None, "", "multi") else str(data["currency"])
    zone, anchor = str(data.get("tz") or zones.LONDON), str(data.get("anchor") or "event_start")
    if currency and not _CURRENCY.fullmatch(currency):
        faults.append(f"`currency: {currency}` is no currency. One looks like GBP; leave it out if there are several.")
    if not zones.is_zone(zone):
        faults.append(f"`tz: {zone}` is no time zone. One looks like Europe/London.")
    if not _NAME.fullmatch(anchor) or _meant(anchor, tuple(ANCHORS)):
        faults.append(f"`anchor: {anchor}` is not known. It can be {', '.join(ANCHORS)}, or a moment of your own.")
    rules, problems = _rules(data.get("rules"))
    limits, more = _limits(data.get("limits") or {})
    if faults := [*faults, *problems, *more]:
        raise PolicyRefused(faults)
    try:
        holidays = frozenset(map(_date, data.get("holidays") or ()))
    except (ValueError, TypeError):
        raise PolicyRefused(["`holidays` is a list of dates such as 2026-12-25."]) from None
    made = Rules(
        name=str(data.get("name") or data.get("id") or "policy"),
        currency=currency,
        zone=zone,
        anchor=ANCHORS.get(anchor, anchor),
        holidays=holidays,
        params={str(k): v for k, v in (data.get("params") or {}).items() if type(v) is int and abs(v) < _LARGEST},
        limits=limits,
        rules=rules,
        words={str(k): str(v) for k, v in (data.get("words") or {}).items()},
        admits=tuple(str(each) for key in ("gaps", "not_visible") for each in data.get(key) or ()),
    )
    if circle := next((action for action in made.actions if _leads_back(made, action)), ""):
        raise PolicyRefused([f"`treat_as` leads from {circle} back to {circle}, so nothing would ever answer."])
    return made


def _shapeless(data: Mapping[str, Any], keys: tuple[str, ...], kind: type, named: str) -> Iterator[str]:
    wrong = (key for key in keys if data.get(key) is not None and not isinstance(data[key], kind))
    yield from (f"`{key}` is a {named}, not {data[key]!r}." for key in wrong)


def _leads_back(rules: Rules, action: str) -> bool:
    """Whether `treat_as`, followed as far as it goes, asks the same rules again."""
    seen: set[int] = set()
    ahead = {rule.number for rule in rules.about(action)}
    start = set(ahead)
    while ahead - seen:
        seen |= ahead
        said = [str(rule.says["treat_as"]) for rule in rules.rules if rule.number in ahead and "treat_as" in rule.says]
        ahead = {rule.number for other in said for rule in rules.about(other)}
        if start & ahead:
            return True
    return False


def _rules(data: Any) -> tuple[tuple[Rule, ...], list[str]]:
    if not isinstance(data, list) or not data:
        return (), ["`rules` needs a list with at least one rule."]
    rules, faults = [], []
    for number, each in enumerate(data, 1):
        try:
            rules.append(_rule(number, each))
        except ValueError as problem:
            faults.append(f"Rule {number}: {problem}")
    return tuple(rules), faults


def _rule(number: int, data: Any) -> Rule:
    if not isinstance(data, Mapping) or "action" not in data:
        raise ValueError("a rule is a mapping with an `action`.")
    actions = data["action"] if isinstance(data["action"], list) else [data["action"]]
    for action in actions:
        if not isinstance(action, str) or not _NAME.fullmatch(action):
            raise ValueError(f"`action: {action}` is no name of an action.")
        if action not in ACTIONS and action not in MOVES and (meant := _meant(action, tuple(ACTIONS))):
            raise ValueError(f"`action: {action}` is not known. Did you mean {meant}?")
    condition = conditions.read(data.get("if") or {})
    for atom in conditions.atoms(condition):
        if atom.key not in _MEASURES and (meant := _meant(atom.key, _MEASURES)):
            raise ValueError(f"the condition `{atom.key}` is not known. Did you mean {meant}?")
    says = _result({key: value for key, value in data.items() if key not in ("action", "if")})
    if not says:
        raise ValueError("it does not say what follows. Write a result such as refund_pct: 100 or allowed: false.")
    return Rule(number, tuple(actions), condition, says)


def _result(data: Mapping[Any, Any]) -> Result:
    says = {str(key): _value(str(key), value) for key, value in data.items()}
    for one, other in (("refund_pct", "refund_minor"), ("credit_pct", "credit_minor"), ("credit_rest", "credit_pct")):
        if one in says and other in says:
            raise ValueError(f"it says both {one} and {other}. Keep one of them.")
    if says.get("refund_pct", 0) + says.get("credit_pct", 0) > 100 and "parts" not in says:
        raise ValueError("refund_pct and credit_pct are over 100 together.")
    return says


def _value(key: str, value: Any) -> Any:
    if key in PERCENTS:
        return _percent(key, value)
    if key in AMOUNTS:
        return _amount(key, value)
    if key in FLAGS:
        if not isinstance(value, bool):
            raise ValueError(f"`{key}` is true or false, not {value!r}.")
        return value
    if key in LISTS:
        if not isinstance(value, list) or not value or not all(isinstance(each, Mapping) for each in value):
            raise ValueError(f"`{key}` needs a list of results.")
        return tuple(_result(each) for each in value)
    if key in LENGTHS:
        return value if isinstance(value, date) else _date_or_length(str(value))
    if key in BASES or key in WORDS:
        allowed = WORDS.get(key, ())
        if not isinstance(value, str) or (allowed and value not in allowed):
            raise ValueError(f"`{key}` is a word{': ' + ', '.join(allowed) if allowed else ''}, not {value!r}.")
        return value
    return _further(key, value)


def _further(key: str, value: Any) -> bool | str:
    """Anything else a policy promises or withholds: carried to the outcome word for word."""
    if _meant(key, RESULTS) or key.endswith(("_minor", "_pct")) or not _NAME.fullmatch(key):
        raise ValueError(_unknown(key, RESULTS))
    if not isinstance(value, bool | str):
        raise ValueError(f"{_unknown(key, RESULTS)} A promise in your own words is text, true or false.")
    return value


def _percent(key: str, value: Any) -> Fraction:
    try:
        found = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        found = Fraction(-1)
    if isinstance(value, bool) or not 0 <= found <= 100:
        raise ValueError(f"`{key}` is a percentage from 0 to 100, not {value!r}.")
    return found


def _amount(key: str, value: Any) -> Any:
    """An amount in minor units, or one for each currency, or the name of a parameter or fact that holds it."""
    if isinstance(value, Mapping) and value and all(_CURRENCY.fullmatch(str(each)) for each in value):
        if not all(isinstance(minor, int) for minor in value.values()):
            raise ValueError(f"`{key}` needs a whole number of minor units in each currency, not {value!r}.")
        return {str(currency): _amount(key, minor) for currency, minor in value.items()}
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LARGEST:
        raise ValueError(f"`{key}` is a whole number of minor units (1500 for 15.00), not {value!r}.")
    return value


def _limits(data: Any) -> tuple[Mapping[str, Any], list[str]]:
    if not isinstance(data, Mapping):
        return {}, ["`limits` is a mapping such as {transfers_max: 1}."]
    faults = [_unknown(str(key), _LIMITS) for key in data if key not in _LIMITS and _meant(str(key), _LIMITS)]
    for key in ("transfers_max", "substitutions_max"):
        if key in data and (not isinstance(data[key], int) or data[key] < 0):
            faults.append(f"`{key}` is a number of times, not {data[key]!r}.")
    try:
        tuple(window(data))
    except ValueError as problem:
        faults.append(f"`transfer_window`: {problem}")
    return {key: value for key, value in data.items() if value is not None}, faults


def window(limits: Mapping[str, Any]) -> Iterator[Any]:
    """The pieces of a transfer window: lengths, dates and numbers of events. Raises ValueError for what is neither."""
    said = limits.get("transfer_window")
    if isinstance(said, Mapping):
        if set(said) not in ({"longest_of"}, {"shortest_of"}):
            raise ValueError("write a length, {longest_of: [...]} or {shortest_of: [...]}.")
        said = next(iter(said.values()))
        if not isinstance(said, list) or not said:
            raise ValueError("name the lengths in a list: {longest_of: [6mo, 6 events]}.")
    elif isinstance(said, list):
        raise ValueError("say which of them counts: {longest_of: [...]} or {shortest_of: [...]}.")
    for each in said if isinstance(said, list) else [] if said is None else [said]:
        events = re.fullmatch(r"(\d+) events?", str(each))
        yield int(events[1]) if events else each if isinstance(each, date) else _date_or_length(str(each))


def _date_or_length(said: str) -> date | Length:
    return _date(said) if re.fullmatch(r"\d{4}-\d\d-\d\d", said) else length(said)


def _date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _meant(key: str, known: tuple[str, ...]) -> str:
    """The known word that is one slip of the fingers away: a letter more, less, other, or two changed about."""
    return next((each for each in known if _is_slip(key, each)), "")


def _is_slip(one: str, other: str) -> bool:
    if len(one) > len(other):
        one, other = other, one
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) != len(other):
        return one[at:] == other[at + 1 :]
    is_swap = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return one != other and (is_swap or one[at + 1 :] == other[at + 1 :])


def _unknown(key: str, known: tuple[str, ...]) -> str:
    found = get_close_matches(key, known, 1, 0.5)
    return f"`{key}` is not known.{f' Did you mean {found[0]}?' if found else ''}"
