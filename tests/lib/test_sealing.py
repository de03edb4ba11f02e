"""What is sealed at rest is opened by LINK_KEYS alone."""

from collections.abc import Iterator

import pytest
from flask import Flask

from lib import sealing


@pytest.fixture(autouse=True)
def inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def test_a_secret_comes_back_and_cannot_be_read_meanwhile() -> None:
    sealed = sealing.seal("s3cret-ü")

    assert "s3cret" not in sealed
    assert sealed != sealing.seal("s3cret-ü"), "two that are alike do not look alike"
    assert sealing.opened(sealed) == "s3cret-ü"


def test_a_key_that_is_being_retired_still_opens(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = sealing.seal("s3cret")
    monkeypatch.setitem(app.config, "LINK_KEYS", f"a-new-one,{app.config['LINK_KEYS']}")

    assert sealing.opened(sealed) == "s3cret"


@pytest.mark.parametrize("change", ["another-key", "cut", "flip"])
def test_nothing_else_opens_it(app: Flask, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    sealed = sealing.seal("s3cret")
    if change == "another-key":
        monkeypatch.setitem(app.config, "LINK_KEYS", "another")
    elif change == "cut":
        sealed = sealed[:-4]
    else:
        sealed = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]

    with pytest.raises(sealing.SealBroken):
        sealing.opened(sealed)
