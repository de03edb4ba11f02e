"""Request parameters: bracketed form text in, checked and typed values out."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from demo.stripe.errors import Refused

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URL = re.compile(r"https?://[^\s/]+\S*")

METADATA_KEYS = 50
METADATA_KEY_LENGTH = 40
METADATA_VALUE_LENGTH = 500


def decode(text: str) -> dict[str, Any]:
    """`a[b][0][c]=v` as nested dicts of text; numbered and empty brackets stay keys until a rule says list."""
    out: dict[str, Any] = {}
    for raw, value in parse_qsl(text, keep_blank_values=True):
        match = _KEY.fullmatch(raw)
        if not match:
            raise Refused(400, f"Invalid parameter name: {raw}", param=raw)
        path = [match[1], *_SEGMENT.findall(match[2])]
        here = out
        for segment in path[:-1]:
            inner = here.setdefault(segment or str(len(here)), {})
            if not isinstance(inner, dict):
                raise Refused(400, "Invalid object", param=raw)
            here = inner
        here[path[-1] or str(len(here))] = value
    return out


class Rule(ABC):
    """How one parameter is read; `read` raises Refused."""

    @abstractmethod
    def read(self, value: Any, name: str) -> Any:
        """The typed value."""


@dataclass(frozen=True)
class Text(Rule):
    """Text, never empty: Stripe takes an empty value for an attempt to unset."""

    most: int = 5000

    def read(self, value: Any, name: str) -> str:
        """The text itself."""
        if not isinstance(value, str):
            raise Refused(400, f"Invalid string: {name}", param=name)
        if not value:
            raise Refused(
                400,
                f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a "
                f"parameter; however '{name}' cannot be unset. You should remove '{name}' from your request or "
                "supply a non-empty value.",
                code="parameter_invalid_empty",
                param=name,
            )
        if len(value) > self.most:
            raise Refused(
                400,
                f"Invalid string: {value[:8]}...{value[-8:]}; must be at most {self.most} characters",
                code="parameter_invalid_string_length",
                param=name,
            )
        return value


class Email(Text):
    """An email address."""

    def read(self, value: Any, name: str) -> str:
        """The address as given."""
        text = super().read(value, name)
        if not _EMAIL.fullmatch(text):
            raise Refused(400, f"Invalid email address: {text}", code="email_invalid", param=name)
        return text


class Url(Text):
    """An absolute http(s) address."""

    def read(self, value: Any, name: str) -> str:
        """The address as given."""
        text = super().read(value, name)
        if not _URL.fullmatch(text):
            raise Refused(400, "Not a valid URL", code="url_invalid", param=name)
        return text


@dataclass(frozen=True)
class Whole(Rule):
    """An integer."""

    least: int | None = None
    most: int | None = None

    def read(self, value: Any, name: str) -> int:
        """The integer."""
        if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,15}", value, re.ASCII):
            raise Refused(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
        number = int(value)
        if self.least is not None and number < self.least:
            raise Refused(
                400,
                f"This value must be greater than or equal to {self.least}.",
                code="parameter_invalid_integer",
                param=name,
            )
        if self.most is not None and number > self.most:
            raise Refused(
                400,
                f"This value must be less than or equal to {self.most}.",
                code="parameter_invalid_integer",
                param=name,
            )
        return number


class Flag(Rule):
    """`true` or `false`."""

    def read(self, value: Any, name: str) -> bool:
        """The boolean."""
        if value not in ("true", "false"):
            raise Refused(400, f"Invalid boolean: {value}", param=name)
        return bool(value == "true")


@dataclass(frozen=True)
class OneOf(Rule):
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, value: Any, name: str) -> str:
        """The word."""
        if value not in self.words:
            raise Refused(400, f"Invalid {name}: must be one of {', '.join(self.words)}", param=name)
        return str(value)


@dataclass(frozen=True)
class Many(Rule):
    """A list."""

    of: Rule
    most: int = 100

    def read(self, value: Any, name: str) -> list[Any]:
        """Each element read by its rule."""
        if not isinstance(value, dict) or not all(k.isascii() and k.isdigit() for k in value):
            raise Refused(400, "Invalid array", param=name)
        if len(value) > self.most:
            raise Refused(400, f"Array {name} exceeded maximum {self.most} allowed elements.", param=name)
        return [self.of.read(value[k], f"{name}[{k}]") for k in sorted(value, key=int)]


class Metadata(Rule):
    """Key and value pairs within Stripe's limits."""

    def read(self, value: Any, name: str) -> dict[str, str]:
        """The pairs; those with an empty value are unset."""
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise Refused(400, "Invalid object", param=name)
        if len(value) > METADATA_KEYS:
            raise Refused(
                400,
                f"Metadata can only have {METADATA_KEYS} keys; you have attempted to set {len(value)}.",
                param=name,
            )
        for key, text in value.items():
            if not isinstance(text, str):
                raise Refused(400, "Metadata values must be strings.", param=f"{name}[{key}]")
            if len(key) > METADATA_KEY_LENGTH:
                raise Refused(
                    400,
                    f"Metadata keys can be at most {METADATA_KEY_LENGTH} characters; '{key}' has {len(key)}.",
                    param=name,
                )
            if len(text) > METADATA_VALUE_LENGTH:
                raise Refused(
                    400,
                    f"Metadata values can have up to {METADATA_VALUE_LENGTH} characters, "
                    f"but you passed in a value that is {len(text)} characters.",
                    param=f"{name}[{key}]",
                )
        return {key: text for key, text in value.items() if text}


@dataclass(frozen=True)
class Fields(Rule):
    """An object whose keys are known."""

    rules: Mapping[str, Rule]
    needed: tuple[str, ...] = field(default=())

    def read(self, value: Any, name: str) -> dict[str, Any]:
        """Each field read by its rule; anything else is refused."""
        if not isinstance(value, dict):
            raise Refused(400, "Invalid object", param=name)
        unknown = [_inside(name, key) for key in value if key not in self.rules]
        if unknown:
            raise Refused(
                400,
                f"Received unknown parameter{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)}",
                code="parameter_unknown",
                param=unknown[0],
            )
        for key in self.needed:
            if key not in value:
                full = _inside(name, key)
                raise Refused(400, f"Missing required param: {full}.", code="parameter_missing", param=full)
        return {key: self.rules[key].read(inner, _inside(name, key)) for key, inner in value.items()}


@dataclass(frozen=True)
class Instant(Rule):
    """A moment or a range of moments, as the lists' `created` takes."""

    def read(self, value: Any, name: str) -> dict[str, int]:
        """The range: any of gt, gte, lt, lte."""
        if isinstance(value, str):
            moment = Whole().read(value, name)
            return {"gte": moment, "lte": moment}
        bounds = dict.fromkeys(("gt", "gte", "lt", "lte"), Whole())
        return Fields(bounds).read(value, name)


def _inside(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key
