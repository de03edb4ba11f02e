"""Facts the tests hold the product to, read from the files beside this one."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def catalogue() -> dict[str, Any]:
    """The twelve workshops of the sample catalogue, its discount codes and its price checks."""
    found = yaml.safe_load((Path(__file__).parent / "catalogue.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def workshops() -> list[dict[str, Any]]:
    """The twelve, in the file's order."""
    return list(catalogue()["workshops"])
