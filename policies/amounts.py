"""The arithmetic of a rule's result. Integers in minor units and exact fractions, rounded half up once. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from policies.facts import Facts
from policies.rules import Result, Rules


class AmountMissing(ValueError):
    """The policy names no amount in the currency that was paid in, or a parameter that nobody has given."""


@dataclass(frozen=True)
class Purse:
    """What a rule's amounts are worked out from."""

    rules: Rules
    facts: Facts
    sessions_left: Fraction  # the share of the sessions that has not begun

    def amount(self, says: Result, key: str) -> int:
        """A fixed amount, with the rule's VAT on it where it names some. Raises AmountMissing."""
        said = says.get(key, 0)
        if isinstance(said, Mapping):
            if self.facts.currency not in said:
                raise AmountMissing(f"The policy names no {key} in {self.facts.currency}.")
            said = said[self.facts.currency]
        elif isinstance(said, int) and said and self.rules.currency not in ("", self.facts.currency):
            raise AmountMissing(
                f"The policy's {key} is in {self.rules.currency}, but {self.facts.currency} was paid. "
                f"Write an amount for each currency."
            )
        if isinstance(said, str):
            said = self._named(said)
        return rounded(said * (100 + says.get("vat_pct", 0)) / Fraction(100)) if key in _CHARGES else int(said)

    def basis(self, name: str) -> int:
        """What a percentage is of. Raises AmountMissing for a name that stands for nothing."""
        facts = self.facts
        if name in ("paid", "line_paid"):
            return facts.paid_minor
        if name in ("price", "fee"):
            return facts.price_minor
        if name == "balance":
            return max(0, facts.paid_minor - self.deposit)
        if name == "remaining":
            return rounded(facts.paid_minor * self.sessions_left)
        if name == "target_price":
            return facts.price_minor if facts.target_price_minor is None else facts.target_price_minor
        return self._named(f"{name}_minor")

    @property
    def deposit(self) -> int:
        found = self.facts.deposit_minor
        return self.rules.params.get("deposit_minor", 0) if found is None else found

    def _named(self, name: str) -> int:
        if name == "deposit_minor":
            return self.deposit
        found = self.facts.others.get(name, self.rules.params.get(name))
        if not isinstance(found, int):
            raise AmountMissing(f"The policy asks for {name}, which nobody has given.")
        return found


@dataclass(frozen=True)
class Sums:
    """Minor units: what goes back, what becomes credit, what is due now."""

    refund: int = 0
    credit: int = 0
    due: int = 0


def rounded(exact: Fraction | int) -> int:
    """Half up, to a whole minor unit."""
    return (2 * Fraction(exact) + 1).__floor__() // 2


def giving_back(says: Result, purse: Purse) -> Sums:
    """What of the money paid goes back or becomes credit, and what is owed: never more than was paid, never under 0."""
    facts = purse.facts
    parts = [_back(part, purse) for part in says.get("parts", (says,))]
    refund = min(sum(part.refund for part in parts), facts.paid_minor)
    if "refund_cap_minor" in says:
        refund = min(refund, purse.amount(says, "refund_cap_minor"))
    rest = facts.paid_minor - refund
    credit = rest if says.get("credit_rest") else min(sum(part.credit for part in parts), rest)
    owed = max(_owed(says, purse), _charge(says, purse))
    return Sums(refund, credit, max(0, owed - facts.paid_minor))


def giving_back_of_group(says: Result, purse: Purse) -> Sums:
    """The same for those of a group who leave: the discount the whole group no longer earns comes off first.

    While those who stay still earn it, the base is the leavers' equal share of what was paid.
    """
    group = purse.facts.group
    assert group is not None
    own = group.list_price_minor * group.leaving
    lost = group.list_price_minor * group.size - purse.facts.paid_minor
    if not group.loses_discount:
        own, lost = purse.facts.paid_minor * group.leaving // group.size, 0
    alone = replace(purse, facts=replace(purse.facts, paid_minor=own, price_minor=own))
    sums = giving_back(says, alone)
    refund = max(0, sums.refund - lost)
    credit = max(0, sums.credit - max(0, lost - sums.refund))
    return Sums(refund, min(credit, purse.facts.paid_minor - refund), sums.due)


def moving(says: Result, purse: Purse, default_difference: str) -> tuple[int, Sums]:
    """The charge for a move or a substitute, and what is due or goes back with the difference in price."""
    charge = _charge(says, purse)
    target = purse.facts.target_price_minor
    difference = 0 if target is None else target - purse.facts.price_minor
    way = says.get("price_difference", default_difference)
    if way == "none" or (way == "pay" and difference < 0):
        difference = 0
    net = charge + difference
    back = min(max(0, -net), purse.facts.paid_minor)
    return charge, Sums(back if way == "both" else 0, back if way == "credit" else 0, max(0, net))


def _back(says: Result, purse: Purse) -> Sums:
    base = max(0, purse.basis(says.get("of", "paid")) - _kept(says, purse))
    exact = Fraction(purse.amount(says, "refund_minor"))
    if "refund_minor" not in says:
        # A rule that names only a charge keeps the charge and returns the rest.
        whole = 100 if any(key in says for key in ("charge_minor", "charge_pct", "minus_minor", "minus_pct")) else 0
        whole = 0 if "credit_pct" in says or "credit_minor" in says else whole
        exact = base * Fraction(says.get("refund_pct", whole)) / 100
    refund = max(0, rounded(exact - _minus(says, purse) - _charge(says, purse)))
    credit_base = base if says.get("credit_of", "paid") == "paid" else purse.basis(says["credit_of"])
    credited = says.get("credit_pct", 0) * credit_base / Fraction(100) + purse.amount(says, "credit_minor")
    less = purse.amount(says, "credit_minus_minor") + says.get("credit_minus_pct", 0) * credit_base / Fraction(100)
    return Sums(refund, max(0, rounded(credited - less)))


def _kept(says: Result, purse: Purse) -> int:
    return (purse.deposit if says.get("keep_deposit") else 0) + purse.amount(says, "keep_minor")


def _minus(says: Result, purse: Purse) -> Fraction:
    base = purse.basis(says.get("minus_pct_of", says.get("of", "paid")))
    return purse.amount(says, "minus_minor") + _share(says, purse, "minus_pct", base)


def _charge(says: Result, purse: Purse) -> int:
    base = purse.basis(says.get("charge_of", "price"))
    return purse.amount(says, "charge_minor") + rounded(_share(says, purse, "charge_pct", base))


def _share(says: Result, purse: Purse, key: str, base: int) -> Fraction:
    """A percentage of `base`, at least and at most the amounts the rule names."""
    if key not in says:
        return Fraction(0)
    found: Fraction = max(says[key] * base / Fraction(100), Fraction(purse.amount(says, f"{key}_min_minor")))
    cap = f"{key}_cap_minor"
    return min(found, Fraction(purse.amount(says, cap))) if cap in says else found


def _owed(says: Result, purse: Purse) -> int:
    if says.get("owe_full_price"):
        return purse.facts.price_minor
    base = purse.basis(says.get("owe_of", "price"))
    return purse.amount(says, "owe_minor") + rounded(says.get("owe_pct", 0) * base / Fraction(100))


def move_charge(says: Result, purse: Purse) -> int | None:
    """What moving would cost, where a rule offers that instead of money."""
    if not any(key in says for key in ("move_charge_minor", "move_charge_pct")):
        return None
    base: Any = purse.facts.price_minor
    return purse.amount(says, "move_charge_minor") + rounded(says.get("move_charge_pct", 0) * base / Fraction(100))


_CHARGES = (
    *("minus_minor", "credit_minus_minor", "credit_use_charge_minor", "charge_minor", "owe_minor", "move_charge_minor"),
)  # fmt: skip
