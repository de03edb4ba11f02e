"""Policies to start from. What the desk keeps of one is a copy; a change here changes nobody's policy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).parent / "templates.yaml"


@dataclass(frozen=True)
class Template:
    """A policy in data, the name and the one sentence by which the desk offers it."""

    key: str
    name: str
    summary: str
    rules: tuple[Mapping[str, Any], ...]
    limits: Mapping[str, Any]

    def data(self, zone: str, currency: str) -> dict[str, Any]:
        """The policy for an organiser of this zone and currency, ready for `versions.write`."""
        made: dict[str, Any] = {"name": self.name, "tz": zone, "rules": [_in(rule, currency) for rule in self.rules]}
        if any(isinstance(amount, int) for amount in _amounts(made["rules"])):
            made["currency"] = currency
        return made | ({"limits": dict(self.limits)} if self.limits else {})

    def suits(self, currency: str) -> bool:
        """Whether it has every amount it needs in this currency."""
        return all(not isinstance(each, Mapping) or currency in each for each in _amounts(list(self.rules)))


@lru_cache(maxsize=1)
def everything() -> tuple[Template, ...]:
    """All templates, in the order the desk shows them."""
    found = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return tuple(
        Template(each["key"], each["name"], each["summary"], tuple(each["rules"]), each.get("limits", {}))
        for each in found
    )


def by_key(key: str) -> Template:
    """One template. Raises KeyError for a key that is none."""
    return {template.key: template for template in everything()}[key]


def _in(said: Any, currency: str) -> Any:
    """Data with only this currency's amounts."""
    if isinstance(said, Mapping):
        return {key: _in(value.get(currency, value) if _is_amount(key, value) else value, currency)
                for key, value in said.items()}  # fmt: skip
    return [_in(each, currency) for each in said] if isinstance(said, list) else said


def _amounts(said: Any) -> Iterator[Any]:
    if isinstance(said, Mapping):
        for key, value in said.items():
            if key.endswith("_minor") and value:
                yield value
            else:
                yield from _amounts(value)
    elif isinstance(said, list):
        for each in said:
            yield from _amounts(each)


def _is_amount(key: str, value: Any) -> bool:
    return key.endswith("_minor") and isinstance(value, Mapping)
