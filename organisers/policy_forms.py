"""What organisers type about a policy: the figures of a template, or the whole of it as data."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from accounts.models import Organiser
from lib import money
from lib.forms import Form, one_line
from policies import examples, versions, written
from policies.models import Policy
from policies.rules import PolicyRefused
from policies.templates import Asked, Figures, Template

MOST = {"days": 730, "hours": 2000, "months": 60, "events": 100, "times": 20, "percent": 100}
START = """rules:
- {action: cancel, if: {notice: '>=14d'}, refund_pct: 100}
- {action: cancel, refund_pct: 0}
- {action: substitute, charge_minor: 0}
- {action: provider_cancel, refund_pct: 100}
"""


class PolicyForm(Form):
    """A policy of a name. `keepable` is its data, checked; what the checker says against it is said at `blamed`."""

    name = StringField(
        "What you call it",
        [InputRequired("Please give it a name."), Length(max=120)],
        [one_line],
        description="For you and your team. Buyers read what it says, not its name.",
    )
    blamed = "name"
    taken: Sequence[str] = ()
    keeps_name = ""  # of a policy that is there already

    def validate_name(self, field: Any) -> None:
        if field.data in self.taken:
            raise ValidationError("You have a policy of this name. Change that one, or call this one something else.")

    @abstractmethod
    def policy(self) -> Mapping[str, Any]:
        """The data as typed. Raises PolicyRefused."""

    def of(self, policy: Policy) -> None:
        """Let the form be for the next version of this policy."""
        self.keeps_name = policy.name
        del self.name

    def keepable(self) -> Mapping[str, Any] | None:
        """The data, if it can be kept; else what the checker says is at the field."""
        if not self.validate():
            return None
        try:
            data = versions.plain({**self.policy(), "name": self.keeps_name or self.name.data})
            versions.checked(data)
            if wrong := examples.check([data]).differences:
                raise PolicyRefused(wrong)
        except PolicyRefused as refused:
            self[self.blamed].errors = list(refused.faults)
            return None
        return data


class TextForm(PolicyForm):
    """A policy written as data."""

    blamed = "text"
    text = TextAreaField(
        "The policy",
        [
            InputRequired("Please write the policy."),
            Length(max=20_000, message="This is longer than 20,000 characters. Please shorten it."),
        ],
        [lambda typed: (typed or "").replace("\r\n", "\n").strip()],
    )

    def policy(self) -> Mapping[str, Any]:
        return written.read(self.text.data or "")


class FiguresForm(PolicyForm):
    """A template with its figures; `filled` makes one with a field for each."""

    template: Template
    organiser: Organiser
    currencies: Sequence[str] = ()

    def policy(self) -> Mapping[str, Any]:
        figures = {each.key: self._figure(each) for each in self.template.asks}
        return self.template.data(self.organiser.zone, *self.currencies, figures=figures)

    def validate(self, extra_validators: Any = None) -> bool:
        """An amount is read in the currency its field is for."""
        is_valid = super().validate(extra_validators)
        for each in self.template.asks:
            if each.kind == "amount" and is_valid:
                right = [self._is_amount(each, currency) for currency in self.currencies]
                is_valid = all(right)
        return is_valid

    def _is_amount(self, asked: Asked, currency: str) -> bool:
        field = self[_named(asked, currency)]
        try:
            money.parse(str(field.data), currency)
        except ValueError as problem:
            field.errors = [str(problem)]
        return not field.errors

    def _figure(self, asked: Asked) -> Any:
        if asked.kind != "amount":
            return self[asked.key].data
        typed = {currency: str(self[_named(asked, currency)].data) for currency in self.currencies}
        return {currency: money.parse(text, currency) for currency, text in typed.items()}


def filled(
    template: Template, organiser: Organiser, currencies: Sequence[str], figures: Figures | None, typed: Any = None
) -> FiguresForm:
    """The form of a template's figures: as typed, else with these in it, else with those of the template."""
    known = {each.key: each.value for each in template.asks} | dict(figures or {})
    fields: dict[str, Any] = {}
    first: dict[str, Any] = {"name": template.name}
    for each in template.asks:
        if each.kind == "amount":
            for currency in currencies:
                label = f"{each.label}, in {currency}" if len(currencies) > 1 else f"{each.label} ({currency})"
                fields[_named(each, currency)] = StringField(
                    label, [InputRequired("Please give the amount, 0 for nothing."), Length(max=20)], [one_line]
                )
                if currency in known[each.key]:
                    first[_named(each, currency)] = money.plain(known[each.key][currency], currency)
        else:
            most = MOST[each.kind]
            fields[each.key] = IntegerField(
                each.label, [InputRequired("Please give the figure."), NumberRange(0, most)]
            )
            first[each.key] = known[each.key]
    if template.asks:
        first_ask = template.asks[0]
        blamed = _named(first_ask, currencies[0]) if first_ask.kind == "amount" else first_ask.key
    else:
        blamed = "name"
    own = {"template": template, "organiser": organiser, "currencies": tuple(currencies), "blamed": blamed}
    made: FiguresForm = type("FiguresForm", (FiguresForm,), {**fields, **own})(typed, data=first)
    return made


def _named(asked: Asked, currency: str) -> str:
    return f"{asked.key}_{currency}"
