"""Which names may be one person's."""

import pytest

from bookings import correcting


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("Ann Attwood", "Anne Attwood", True),
        ("Ann Attwood", "Ann Bennett-Attwood", True),
        ("Ann Atwood", "Anna Attwod", True),
        ("ANN ATTWOOD", "Ann Married", True),
        ("Zoë Ångström", "Zoe Angstrom", True),
        ("Li Wei", "Wei Li", True),
        ("Jon Smyth", "John Smith", True),
        ("Ann Attwood", "Cy Carter", False),
        ("Dr Ann Attwood", "Dr Cy Carter", False),
        ("Ann Attwood", "Bob Barnes", False),
    ],
)
def test_which_names_may_be_one_persons(before: str, after: str, is_same: bool) -> None:
    assert correcting.could_be_same(before, after) is is_same
