"""What a policy says about an action, in these circumstances, at this instant. Pure: no database, no clock.

    outcome(rules, action, facts, at) -> Outcome

`rules` come from `rules.read(data)`: of a Policy row, of a template, or of the copy frozen on a booking. `action` is
one of `rules.ACTIONS`. `facts` are in `facts.Facts`. `at` is the instant at which written notice arrived.

What goes in (Facts)                what it is
----------------------------------  ------------------------------------------------------------------------------
price_minor, paid_minor, currency   the share of what the action is about, in minor units
sessions, ends_at                   starts of the ticket's sessions, end of the last; notice is measured to the first
session_starts_at                   the one session asked about, where it is not all of them
zone                                where dates are counted; empty for the policy's own
booked_at, paid_at, invoiced_at     instants
ticket, product                     words the policy's conditions use: discounted, early_bird; online, recording
deposit_minor                       what of the price was a deposit
transfers_used, substitutions_used  how often already; limits count them
target_price_minor, target_starts_at, target_events_after    where a transfer or substitute leads
waiting_list, seat_resold           seat_resold None: not known yet, so the answer may be pending
reason, proof                       `medical: true` holds with reason="medical", proof=True
group                               places bought together at a discount
others                              any further fact a policy asks for, by its own name

What comes out (Outcome)            what it is
----------------------------------  ------------------------------------------------------------------------------
allowed                             whether it may be done; False for a move the policy does not offer
refund_minor, credit_minor          back to the payer; as a credit note. refund + credit + fee = paid
fee_minor                           what the organiser keeps; for moves and substitutes the charge for doing it
due_minor                           what must be paid now: charge and difference in price, or a debt
credit_expires, credit_use_charge_minor   last day of the credit; what spending it will cost
move_charge_minor                   a move offered instead of money, at this charge, which is then fee and due
recording                           True: the recording instead; False: no recording; None: nothing said
lapse                               for `unpaid`: whether the booking is cancelled and the place freed
options                             the attendee chooses one of these Outcomes; its own money is then all 0
pending_on, if_so                   facts not known yet, and the Outcome if they come true; the money here is certain
discretionary                       only if the organiser says yes, with a reason
treat_as, instead                   refused as such, but answered as this other action, with that Outcome
pay_when, pay_within                when the money goes back, in the policy's words
terms                               whatever else the policy promises or withholds, by its own names
is_said, rule, text                 whether the policy says it at all, by which rule, and a sentence for people

The organiser may always do better by hand, with a reason; that is the caller's business and needs no rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from policies import amounts, conditions, words
from policies.amounts import Purse, Sums
from policies.conditions import Case
from policies.facts import Facts
from policies.measures import Calendar, Length, later
from policies.rules import MOVES, RESULTS, Result, Rule, Rules, window


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The answer. See the table above; money in minor units of `currency`."""

    action: str
    currency: str
    allowed: bool = True
    refund_minor: int = 0
    credit_minor: int = 0
    fee_minor: int = 0
    due_minor: int = 0
    credit_expires: date | None = None
    credit_use_charge_minor: int | None = None
    move_charge_minor: int | None = None
    recording: bool | None = None
    lapse: bool | None = None
    options: tuple["Outcome", ...] = ()
    pending_on: tuple[str, ...] = ()
    if_so: "Outcome | None" = None
    discretionary: bool = False
    treat_as: str = ""
    instead: "Outcome | None" = None
    pay_when: str = ""
    pay_within: str = ""
    proof: str = ""
    terms: Mapping[str, Any] = field(default_factory=dict)
    is_said: bool = True
    rule: int | None = None
    text: str = ""

    @property
    def pending(self) -> bool:
        """Whether a better answer hangs on something not known yet."""
        return self.if_so is not None


def case(rules: Rules, facts: Facts, at: datetime) -> Case:
    """The circumstances as the policy measures them. Raises ValueError for an instant without a zone."""
    if at.tzinfo is None:
        raise ValueError("notice arrives at an instant: the time needs its zone")
    return Case(facts, at, Calendar(facts.zone or rules.zone, rules.holidays), rules.anchor)


def outcome(rules: Rules, action: str, facts: Facts, at: datetime) -> Outcome:
    """What `rules` say about `action` when notice arrives at the instant `at`.

    The first rule whose conditions hold answers. An action without rules is answered by those of the action it follows
    (no_show by cancel, for instance); where nothing is said at all, moves are not offered, the organiser's own
    cancelling returns everything, and the rest is the organiser's to decide. Raises AmountMissing where the policy has
    no amount in the currency paid in.
    """
    found = case(rules, facts, at)
    certain = _first(rules, action, found, is_hopeful=False)
    hopeful = _first(rules, action, found, is_hopeful=True)
    made = _answer(rules, action, certain, found)
    if hopeful is None or hopeful is certain:
        return made
    open_facts = {atom.key for atom in conditions.atoms(hopeful.condition) if found.is_open(atom)}
    return replace(made, pending_on=tuple(sorted(open_facts)), if_so=_answer(rules, action, hopeful, found))


def _first(rules: Rules, action: str, found: Case, *, is_hopeful: bool) -> Rule | None:
    def judge(atom: conditions.Atom) -> bool:
        return found.judge(atom, is_hopeful)

    return next((rule for rule in rules.about(action) if conditions.holds(rule.condition, judge)), None)


def _answer(rules: Rules, action: str, rule: Rule | None, found: Case) -> Outcome:
    if rule is None:
        return _silence(action, found.facts)
    made = _result(rules, action, rule.says, found)
    made = replace(made, rule=rule.number, text=words.sentence(rules, action, rule, found.facts.currency))
    if made.treat_as:
        other = outcome(rules, made.treat_as, found.facts, found.at)
        if not made.allowed or action in MOVES:
            return replace(made, instead=other)
        return replace(other, action=action, treat_as=made.treat_as)
    if action in MOVES and made.allowed and (broken := _broken_limit(rules, action, found)):
        return Outcome(action=action, currency=made.currency, allowed=False, rule=rule.number, text=broken)
    return made


def _silence(action: str, facts: Facts) -> Outcome:
    if action in MOVES:
        return Outcome(
            action=action,
            currency=facts.currency,
            allowed=False,
            discretionary=True,
            is_said=False,
            text="The policy does not offer this. You may ask us.",
        )
    if action.startswith("provider_"):
        return Outcome(
            action=action,
            currency=facts.currency,
            refund_minor=facts.paid_minor,
            is_said=False,
            text="The policy does not speak of this, so everything you paid goes back.",
        )
    if action == "unpaid":
        return Outcome(action=action, currency=facts.currency, lapse=False, due_minor=_unpaid(facts), is_said=False)
    return Outcome(
        action=action,
        currency=facts.currency,
        fee_minor=facts.paid_minor,
        discretionary=True,
        is_said=False,
        text="The policy does not speak of this. We will decide and tell you why.",
    )


def _unpaid(facts: Facts) -> int:
    return max(0, facts.price_minor - facts.paid_minor)


def _result(rules: Rules, action: str, says: Result, found: Case) -> Outcome:
    facts = found.facts
    made = Outcome(action=action, currency=facts.currency, **_spoken(says))
    if "choose" in says:
        return replace(made, options=tuple(_result(rules, action, each, found) for each in says["choose"]))
    total = facts.value("sessions_total", found.at)
    left = Fraction(facts.value("sessions_left", found.at), total) if total else Fraction(1)
    purse = Purse(rules, facts, left)
    if not made.allowed:
        return made
    if "credit_use_charge_minor" in says:
        made = replace(made, credit_use_charge_minor=purse.amount(says, "credit_use_charge_minor"))
    move_charge = amounts.move_charge(says, purse)
    if move_charge is not None:
        return replace(made, move_charge_minor=move_charge, fee_minor=move_charge, due_minor=move_charge)
    if action in MOVES:
        fee, sums = amounts.moving(says, purse, "none" if action in ("substitute", "name_change") else "pay")
    else:
        in_group = action == "cancel_one_of_group" and facts.group is not None
        sums = (amounts.giving_back_of_group if in_group else amounts.giving_back)(says, purse)
        fee = facts.paid_minor - sums.refund - sums.credit
    if action == "unpaid" and not made.lapse:
        sums = Sums(sums.refund, sums.credit, max(sums.due, _unpaid(facts)))
    return replace(
        made,
        refund_minor=sums.refund,
        credit_minor=sums.credit,
        fee_minor=fee,
        due_minor=sums.due,
        credit_expires=_expiry(says, found) if sums.credit else None,
    )


def _spoken(says: Result) -> dict[str, Any]:
    """What a result says besides money."""
    return {
        "allowed": says.get("allowed", True),
        "discretionary": says.get("discretionary", False),
        "recording": says.get("recording_access"),
        "lapse": says.get("lapse"),
        "treat_as": says.get("treat_as", ""),
        "pay_when": says.get("pay_when", ""),
        "pay_within": str(says.get("pay_within", "")),
        "proof": says.get("proof", ""),
        "terms": {key: value for key, value in says.items() if key not in RESULTS},
    }


def _expiry(says: Result, found: Case) -> date | None:
    until = says.get("credit_expires")
    if not isinstance(until, Length):
        return until
    name = {"event": "event", "booking": "booked"}.get(says.get("credit_expires_from", "notice"))
    start = found.facts.moment(name) if name else found.at
    return None if start is None else later(found.calendar.date_of(start), until)


def _broken_limit(rules: Rules, action: str, found: Case) -> str:
    """Why a move the rules allow is one too many or too far, as a sentence; nothing if it is neither."""
    key, used = "transfers_max", found.facts.transfers_used
    if action in ("substitute", "name_change"):
        key, used = "substitutions_max", found.facts.substitutions_used
    if key in rules.limits and used >= rules.limits[key]:
        return words.limit_reached(action, rules.limits[key])
    if action not in ("substitute", "name_change") and _is_too_far(rules, found):
        return words.TOO_FAR
    return ""


def _is_too_far(rules: Rules, found: Case) -> bool:
    """Whether the target lies outside the window; what is not known about it is no reason to refuse."""
    event, target = found.facts.moment("event"), found.facts.target_starts_at
    inside: list[bool | None] = []
    for piece in window(rules.limits):
        if isinstance(piece, int):
            count = found.facts.target_events_after
            inside.append(None if count is None else count <= piece)
        elif target is None or (event is None and isinstance(piece, Length)):
            inside.append(None)
        else:
            last = later(found.calendar.date_of(event), piece) if event and isinstance(piece, Length) else piece
            inside.append(found.calendar.date_of(target) <= last)
    said = rules.limits.get("transfer_window")
    if isinstance(said, Mapping) and "shortest_of" in said:
        return False in inside
    return bool(inside) and all(each is False for each in inside)
