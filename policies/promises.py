"""What a rule promises or withholds, as the second half of a sentence. British English. Pure."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from lib import money, zones
from policies.rules import MOVES, RESULTS, Result, Rules

_BASES = {
    "paid": "what you paid",
    "line_paid": "what you paid for it",
    "price": "the price",
    "fee": "the price",
    "deposit": "the deposit",
    "balance": "what you paid beyond the deposit",
    "remaining": "the share of what you paid for the sessions still to come",
    "target_price": "the price of the new place",
}
_DIFFERENCES = {
    "pay": ", and you pay the difference if the new price is higher",
    "both": ", and the difference in price is paid or returned",
    "credit": ", and the difference in price is paid or becomes a credit note",
    "none": "",
}


def promise(says: Result, rules: Rules, action: str, *currencies: str) -> str:
    """The result in words that follow `If you cancel, `; amounts in the policy's currency, else in each of these."""
    speaker = _Speaker(rules, (rules.currency,) if rules.currency else currencies)
    if "choose" in says:
        options = "; or ".join(_one(each, speaker, action) for each in says["choose"])
        return f"you may choose: {options}"
    said = _one(says, speaker, action)
    if says.get("discretionary"):
        said += ", if we agree" if says.get("allowed", True) else ", but you may ask us"
    return said


class _Speaker:
    def __init__(self, rules: Rules, currencies: tuple[str, ...]) -> None:
        self.rules, self.currencies = rules, tuple(dict.fromkeys(filter(None, currencies)))

    def money(self, says: Result, key: str) -> str:
        said = says[key]
        if isinstance(said, str):
            said = self.rules.params.get(said, said)
        if isinstance(said, str):
            return said.removesuffix("_minor").replace("_", " ")
        amounts = said if isinstance(said, Mapping) else dict.fromkeys(self.currencies, said)
        known = {each: amounts[each] for each in self.currencies if each in amounts} or amounts
        text = " or ".join(money.text(minor, each) for each, minor in known.items()) or f"{said} minor units"
        return f"{text} plus {percent(says['vat_pct'])} VAT" if "vat_pct" in says else text


def percent(of: Fraction) -> str:
    """75%, 12.5%, 33.33%."""
    thousandths = int(of * 1000)
    whole, rest = divmod(thousandths, 1000)
    return f"{whole}{f'.{rest:03d}'.rstrip('0') if rest else ''}%"


def _one(says: Result, speaker: _Speaker, action: str) -> str:
    if not says.get("allowed", True):
        as_another = {"cancel": "this counts as cancelling"}.get(says.get("treat_as", ""))
        return as_another or "this is not possible"
    if says.get("treat_as"):
        return f"the same holds as for {says['treat_as'].replace('_', ' ')}"
    said = [*_money(says, speaker, action), *_promises(says, speaker)]
    return " and ".join(said)


def _money(says: Result, speaker: _Speaker, action: str) -> list[str]:
    if action in MOVES:
        return [_move(says, speaker, action)]
    if action == "unpaid":
        return ["the place is given back" if says.get("lapse") else "the place is kept for now"]
    said = _parts(says, speaker) if "parts" in says else [_refund(says, speaker)]
    if credit := _credit(says, speaker):
        said = [credit] if said == [_NOTHING] else [*said, credit]
    elif said == [_NOTHING] and _is_other(says):
        said = []
    owed = _owed(says, speaker)
    return [*said, owed] if owed else said


_NOTHING = "nothing is returned"


def _is_other(says: Result) -> bool:
    """Whether a result offers something instead of money, so that saying nothing is returned would mislead."""
    offers_move = "move_charge_minor" in says or "move_charge_pct" in says
    return "refund_pct" not in says and (offers_move or says.get("recording_access") is True)


def _parts(says: Result, speaker: _Speaker) -> list[str]:
    said = []
    for part in says["parts"]:
        said += [text for text in (_refund(part, speaker), _credit(part, speaker)) if text]
    return said


def _refund(says: Result, speaker: _Speaker) -> str:
    of = "what you paid beyond the deposit" if says.get("keep_deposit") else _base(says.get("of", "paid"))
    if "refund_minor" in says:
        return f"we return {speaker.money(says, 'refund_minor')}"
    charges = any(key in says for key in ("charge_minor", "charge_pct", "minus_minor", "minus_pct"))
    share = says.get("refund_pct", Fraction(100 if charges and "credit_pct" not in says else 0))
    if not share:
        return _NOTHING if of == "what you paid" else f"nothing of {of} is returned"
    said = f"we return {_share(share, of)}"
    less = _less(says, speaker, "minus", says.get("minus_pct_of", says.get("of", "paid")))
    less += _less(says, speaker, "charge", says.get("charge_of", "price"))
    if "keep_minor" in says:
        less.insert(0, speaker.money(says, "keep_minor"))
    said += f", less {' and '.join(less)}" if less else ""
    return said + (f", at most {speaker.money(says, 'refund_cap_minor')}" if "refund_cap_minor" in says else "")


def _share(share: Fraction, of: str) -> str:
    whole = "everything you paid" if of == _BASES["paid"] else of
    return whole if share == 100 else f"{percent(share)} of {of}"


def _less(says: Result, speaker: _Speaker, stem: str, base: str) -> list[str]:
    said = [speaker.money(says, f"{stem}_minor")] if says.get(f"{stem}_minor") else []
    key = f"{stem}_pct"
    if says.get(key):
        text = f"{percent(says[key])} of {_base(base)}"
        bounds = [("at least", f"{key}_min_minor"), ("at most", f"{key}_cap_minor")]
        named = [f"{word} {speaker.money(says, bound)}" for word, bound in bounds if bound in says]
        said.append(f"{text} ({', '.join(named)})" if named else text)
    return said


def _credit(says: Result, speaker: _Speaker) -> str:
    if says.get("credit_rest"):
        said = "you get a credit note for the rest"
    elif "credit_minor" in says:
        said = f"you get a credit note for {speaker.money(says, 'credit_minor')}"
    elif says.get("credit_pct"):
        of, share = _base(says.get("credit_of", "paid")), says["credit_pct"]
        said = f"you get a credit note for {_share(share, of)}"
    else:
        return ""
    less = _less(says, speaker, "credit_minus", says.get("credit_of", "paid"))
    said += f", less {' and '.join(less)}" if less else ""
    until = says.get("credit_expires")
    if until is not None:
        start = {"event": " after the workshop", "booking": " after booking"}.get(
            says.get("credit_expires_from", ""), ""
        )
        said += f", valid until {zones.day(until)}" if isinstance(until, date) else f", valid for {until}{start}"
    if says.get("credit_use_charge_minor"):
        said += f"; using it costs {speaker.money(says, 'credit_use_charge_minor')}"
    return said


def _owed(says: Result, speaker: _Speaker) -> str:
    if says.get("owe_full_price"):
        return "what has not been paid of the price is still owed"
    owed = _less(says, speaker, "owe", says.get("owe_of", "price"))
    return f"{' and '.join(owed)} is owed" if owed else ""


def _move(says: Result, speaker: _Speaker, action: str) -> str:
    charge = _less(says, speaker, "charge", says.get("charge_of", "price"))
    said = f"it costs {' plus '.join(charge)}" if charge else "it is free of charge"
    default = "none" if action in ("substitute", "name_change") else "pay"
    return said + _DIFFERENCES[says.get("price_difference", default)]


def _promises(says: Result, speaker: _Speaker) -> list[str]:
    said = []
    recording: Any = says.get("recording_access")
    if recording is not None:
        said.append("you get the recording" if recording else "you do not get the recording")
    if "move_charge_minor" in says or "move_charge_pct" in says:
        charge = _less(says, speaker, "move_charge", "price")
        said.append(f"you move to another date {f'for {charge[0]}' if charge else 'free of charge'}")
    if says.get("pay_when"):
        when = "after the workshop" if says["pay_when"] == "after_event" else says["pay_when"].replace("_", " ")
        said.append(f"the money goes back {when}")
    if says.get("pay_within"):
        said.append(f"the money goes back within {says['pay_within']}")
    if says.get("proof"):
        said.append(f"we ask for {says['proof'].replace('_', ' ')}")
    for key, value in says.items():
        if key not in RESULTS:
            named = key.replace("_", " ")
            said.append(f"{named}: {value}" if isinstance(value, str) else named if value else f"no {named}")
    return said


def _base(name: str) -> str:
    return _BASES.get(name) or f"the {name.replace('_', ' ')}"
