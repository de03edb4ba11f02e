"""Policies to start from. What the desk keeps of one is a copy; a change here changes nobody's policy."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template as Text
from typing import Any

import yaml

_FILE = Path(__file__).parent / "templates.yaml"
_WHOLE = re.compile(r"\$([a-z]+)")
_PART = re.compile(r"\\\$\\\{([a-z]+)\\\}")  # as re.escape leaves it
Figures = Mapping[str, Any]  # by the key of what is asked: a whole number, or for amounts minor units by currency


@dataclass(frozen=True)
class Asked:
    """A figure of a template: `kind` is days, hours, months, events, times, percent or amount; `value` stands there at
    first, for amounts in minor units by currency."""

    key: str
    kind: str
    value: Any
    label: str


@dataclass(frozen=True)
class Template:
    """A policy in data, the name and the one sentence by which the desk offers it, and the figures it asks for."""

    key: str
    name: str
    summary: str
    rules: tuple[Mapping[str, Any], ...]
    limits: Mapping[str, Any]
    asks: tuple[Asked, ...]

    def data(self, zone: str, *currencies: str, figures: Figures | None = None) -> dict[str, Any]:
        """The policy for an organiser of this zone who sells in these currencies, ready for `versions.write`.

        What `figures` leaves out is as in the file. Raises KeyError for an amount in a currency that has none.
        """
        found = {each.key: each.value for each in self.asks} | dict(figures or {})
        for each in self.asks:
            if each.kind == "amount":
                amounts = {currency: found[each.key][currency] for currency in currencies}
                found[each.key] = amounts if len(currencies) > 1 else amounts[currencies[0]]
        made: dict[str, Any] = {"name": self.name, "tz": zone, "rules": [_filled(rule, found) for rule in self.rules]}
        if len(currencies) == 1 and any(each.kind == "amount" for each in self.asks):
            made["currency"] = currencies[0]
        return made | ({"limits": _filled(self.limits, found)} if self.limits else {})

    def suits(self, currency: str) -> bool:
        """Whether it has every amount it needs in this currency."""
        return all(currency in each.value for each in self.asks if each.kind == "amount")

    def figures(self, data: Mapping[str, Any], zone: str) -> Figures | None:
        """The figures by which this template makes the policy in this zone; None if it would be another policy."""
        found: dict[str, Any] = {}
        pattern = {"rules": list(self.rules), **({"limits": self.limits} if self.limits else {})}
        kept = {key: value for key, value in data.items() if key not in ("name", "tz", "currency")}
        if data.get("tz") != zone or not _fits(pattern, kept, found):
            return None
        for each in self.asks:
            if each.kind == "amount" and isinstance(found[each.key], int):
                found[each.key] = {str(data.get("currency")): found[each.key]}
        return found


@lru_cache(maxsize=1)
def everything() -> tuple[Template, ...]:
    """All templates, in the order the desk shows them."""
    found = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return tuple(
        Template(
            each["key"],
            each["name"],
            each["summary"],
            tuple(each["rules"]),
            each.get("limits", {}),
            tuple(Asked(**asked) for asked in each.get("asks", ())),
        )
        for each in found
    )


def by_key(key: str) -> Template:
    """One template. Raises KeyError for a key that is none."""
    return {template.key: template for template in everything()}[key]


def of(data: Mapping[str, Any], zone: str) -> Template | None:
    """The template that a policy was made from, as long as nothing but its figures is other than there."""
    return next((each for each in everything() if each.figures(data, zone) is not None), None)


def _filled(said: Any, figures: Figures) -> Any:
    """Data with the figures in their places."""
    if isinstance(said, Mapping):
        return {key: _filled(value, figures) for key, value in said.items()}
    if isinstance(said, Sequence) and not isinstance(said, str):
        return [_filled(each, figures) for each in said]
    if not isinstance(said, str):
        return said
    whole = _WHOLE.fullmatch(said)
    return figures[whole[1]] if whole else Text(said).substitute(figures)


def _fits(pattern: Any, said: Any, figures: dict[str, Any]) -> bool:
    """Whether data is the pattern with figures in it, each the same wherever it stands; they are put into `figures`."""
    if isinstance(pattern, Mapping):
        same = isinstance(said, Mapping) and said.keys() == pattern.keys()
        return same and all(_fits(value, said[key], figures) for key, value in pattern.items())
    if isinstance(pattern, list):
        same = isinstance(said, list) and len(said) == len(pattern)
        return same and all(_fits(one, other, figures) for one, other in zip(pattern, said, strict=True))
    if not isinstance(pattern, str):
        return type(pattern) is type(said) and bool(pattern == said)
    if whole := _WHOLE.fullmatch(pattern):
        is_figure = isinstance(said, int | Mapping) and not isinstance(said, bool)
        return is_figure and bool(figures.setdefault(whole[1], said) == said)
    written = _PART.sub(r"(?P<\1>\\d+)", re.escape(pattern))
    found = re.fullmatch(written, said) if isinstance(said, str) else None
    return found is not None and all(figures.setdefault(key, int(n)) == int(n) for key, n in found.groupdict().items())
