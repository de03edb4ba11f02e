"""`make run` on a machine that has nothing, as root and as an ordinary user."""

import os

import pytest

from tests.setup import fresh_clone


def test_a_fresh_clone_runs() -> None:
    fresh_clone.check(None)


@pytest.mark.prove
@pytest.mark.skipif(os.geteuid() != 0, reason="not root: the other test is already an ordinary user's")
def test_a_fresh_clone_runs_for_an_ordinary_user() -> None:
    fresh_clone.check(fresh_clone.ordinary_user())
