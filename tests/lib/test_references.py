import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import references

SHAPE = re.compile(rf"CQ-[{references.ALPHABET}]{{4}}-[{references.ALPHABET}]{{2}}")


def test_a_reference_has_its_shape_and_is_not_twice_the_same() -> None:
    made = [references.new() for _ in range(500)]

    assert all(SHAPE.fullmatch(each) for each in made)
    assert len(set(made)) > 495


def test_nothing_in_it_looks_like_anything_else() -> None:
    assert not set(references.ALPHABET) & set("01ILOU")
    assert len(references.ALPHABET) == len(set(references.ALPHABET)) == 30


@pytest.mark.parametrize(
    "typed",
    [
        "CQ-7K2M-4D",
        "cq-7k2m-4d",
        " CQ 7K2M 4D ",
        "cq7k2m4d",
        "CQ7K2M-4D",
        "CQ–7K2M–4D",
        "C Q - 7 K 2 M - 4 D",
        "CQ-7K2M-4D.",
    ],
)
def test_a_reference_is_found_however_it_is_typed(typed: str) -> None:
    assert references.tidy(typed) == "CQ-7K2M-4D"


@pytest.mark.parametrize("typed", ["", "7K2M4D", "CQ-7K2M", "CQ-7K2M-4D-9", "XY-7K2M-4D"])
def test_anything_else_stays_what_it_is_in_capitals(typed: str) -> None:
    assert references.tidy(typed) == typed.upper()


@given(st.text(max_size=60))
def test_tidying_never_fails_and_never_changes_its_own_work(text: str) -> None:
    once = references.tidy(text)

    assert references.tidy(once) == once


@given(st.text(alphabet=references.ALPHABET, min_size=6, max_size=6))
def test_every_reference_survives_being_read_aloud(bare: str) -> None:
    assert references.tidy(f"cq {bare.lower()}") == f"CQ-{bare[:4]}-{bare[4:]}"
