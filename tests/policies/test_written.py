"""A policy typed as text: read, refused in words that name the line, written out again, whatever is in it."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policies import templates, versions, words, written
from policies.rules import PolicyRefused
from tests.policies.test_published import PUBLISHED

LAUGHS = "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nrules: [*b, *b, *b, *b]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "A policy is a mapping"),
        ("- action: cancel", "A policy is a mapping"),
        ("1: 2", "A policy is a mapping"),
        ("rules: [", "in line 1, column 9"),
        ("rules:\n- {action: cancel, refund_pct: 0\n- {action: no_show}", "in line 3"),
        ("rules: \x00", "cannot be read as YAML or JSON"),
        ("rules: !!python/object:os.system {}", "cannot be read as YAML or JSON"),
        ("day: 2027-02-30", "cannot be read as YAML or JSON"),
        ("[" * 5000, "cannot be read as YAML or JSON"),
        (LAUGHS, "References (*name) are not understood here"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        written.read(text)
    assert said in str(refused.value)


def test_json_is_read_as_well() -> None:
    assert written.read('{"rules": [{"action": "cancel", "refund_pct": 50}]}') == {
        "rules": [{"action": "cancel", "refund_pct": 50}]
    }


def test_a_policy_is_written_a_rule_a_line_without_its_name() -> None:
    text = written.write(templates.by_key("no_refund_small").data("Europe/London", "GBP"))

    assert text == (
        "tz: Europe/London\nrules:\n"
        "- {action: cancel, refund_pct: 0}\n"
        "- {action: substitute, charge_minor: 0}\n"
        "- {action: transfer, allowed: false}\n"
        "- {action: provider_cancel, refund_pct: 100}\n"
    )


@pytest.mark.parametrize("data", PUBLISHED, ids=lambda each: each["id"])
def test_what_is_written_reads_as_the_same(data: dict[str, Any]) -> None:
    kept = versions.plain(data)

    assert versions.plain(written.read(written.write(kept))) == {k: v for k, v in kept.items() if k != "name"}


ODD: list[Any] = [
    *(5, -1, None, True, "", "x", ">=14d", ">99999999d", [], {}, [1], {"a": 1}, "2027-02-30", float("inf")),
    *(10**30, "$x", [[]], {"GBP": -1}, {"GBP": {"EUR": 1}}, {"any": []}, ["6mo"], "0d", ">=0wd", "9999y"),
]
WHOLE = [each.data("Europe/London", "GBP", "EUR") for each in templates.everything()]


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in the data something could stand otherwise."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A good policy with something odd in one or two places."""
    data = copy.deepcopy(draw(st.sampled_from([*WHOLE, *PUBLISHED])))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([*places(data), ("words",), ("params",), ("gaps",), ("examples",), ("limits",)]))
        inside = data
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return data


@given(spoilt())
def test_whatever_is_sent_is_refused_in_words_or_can_be_kept_told_and_written(data: Any) -> None:
    try:
        kept = versions.plain({**data, "name": "Odd"})
        rules = versions.checked(kept)
    except PolicyRefused:
        return
    assert words.explain(rules, "GBP", "EUR")
    assert versions.plain({**written.read(written.write(kept)), "name": "Odd"}) == kept
    assert yaml.safe_load(written.write(kept))
