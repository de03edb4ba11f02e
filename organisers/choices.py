"""What a field offers to choose from."""

from collections.abc import Iterable

from wtforms import SelectChoice  # type: ignore[attr-defined]  # the types are of the version before


def options(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Choices from pairs of a value and its words."""
    return [SelectChoice(value, words) for value, words in pairs]
