"""An organiser's policies: versions that stay as they are, one default, copies that outlive them."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from history.models import Entry
from lib import db
from policies import versions
from policies.models import Policy
from policies.outcomes import outcome
from policies.rules import PolicyRefused
from tests.builders import an_organiser, arranged
from tests.conftest import MORNING, at_once
from tests.policies.making import at, facts

pytestmark = pytest.mark.both_databases


def data(share: int = 50) -> dict[str, Any]:
    return {"currency": "GBP", "tz": "Europe/London", "rules": [{"action": "cancel", "refund_pct": share}]}


def write(organiser_id: int, name: str, share: int) -> Policy:
    return versions.write(organiser_id, name, data(share), actor="user:1", now=MORNING)


@pytest.fixture
def organiser_id(app: Flask) -> int:
    with arranged(app):
        return an_organiser().id


def known(app: Flask) -> list[tuple[str, int, bool]]:
    with app.app_context():
        rows = db.session.scalars(select(Policy).order_by(Policy.name, Policy.version))
        return [(row.name, row.version, row.is_default) for row in rows]


def test_a_change_is_the_next_version_and_the_same_again_is_none(app: Flask, organiser_id: int) -> None:
    for share in (50, 50, 60):
        with arranged(app):
            write(organiser_id, "Standard", share)

    assert known(app) == [("Standard", 1, False), ("Standard", 2, True)]
    with app.app_context():
        first, second = db.session.scalars(select(Policy).order_by(Policy.version))
        assert (first.data["rules"][0]["refund_pct"], second.data["rules"][0]["refund_pct"]) == (50, 60)
        assert [entry.facts["version"] for entry in db.session.scalars(select(Entry))] == [1, 2]


def test_one_default_that_can_be_moved(app: Flask, organiser_id: int) -> None:
    with arranged(app):
        write(organiser_id, "A", 10)
        write(organiser_id, "B", 20)
    assert known(app) == [("A", 1, True), ("B", 1, False)]

    with arranged(app):
        wanted = versions.current(organiser_id, "B")
        assert wanted is not None
        versions.make_default(wanted, actor="user:1", now=MORNING)
    assert known(app) == [("A", 1, False), ("B", 1, True)]
    with app.app_context():
        assert [policy.name for policy in versions.offered(organiser_id)] == ["A", "B"]


def test_the_database_refuses_a_second_default(app: Flask, organiser_id: int) -> None:
    with arranged(app):
        write(organiser_id, "A", 10)
        write(organiser_id, "B", 20)
    mark_all = update(Policy).values(is_default=True)

    with pytest.raises(IntegrityError), arranged(app):
        db.session.execute(mark_all)


def test_a_policy_with_a_gap_is_not_kept_even_if_it_admits_it(app: Flask, organiser_id: int) -> None:
    gap = {
        **data(),
        "gaps": ["the last week"],
        "rules": [{"action": "cancel", "if": {"notice": ">=7d"}, "refund_pct": 9}],
    }

    with pytest.raises(PolicyRefused, match="under 7 days"), arranged(app):
        versions.write(organiser_id, "A", gap, actor="user:1", now=MORNING)
    assert known(app) == []


def test_what_was_sold_stays_as_it_was(app: Flask, organiser_id: int) -> None:
    with arranged(app):
        frozen = versions.snapshot(write(organiser_id, "A", 50))
    with arranged(app):
        write(organiser_id, "A", 0)

    rules = versions.read(frozen)
    assert (frozen["name"], frozen["version"]) == ("A", 1)
    assert outcome(rules, "cancel", facts(), at("2027-06-01T09:00Z")).refund_minor == 5000
    frozen["rules"][0]["refund_pct"] = 99
    with app.app_context():
        kept = db.session.scalars(select(Policy).where(Policy.version == 1)).one()
        assert kept.data["rules"][0]["refund_pct"] == 50


def test_two_who_write_at_once_make_two_versions(app: Flask, organiser_id: int) -> None:
    with arranged(app):
        write(organiser_id, "A", 1)

    def change(share: int) -> None:
        with db.writing():
            write(organiser_id, "A", share)

    found = at_once(app, [lambda share=share: change(share) for share in (2, 3, 4)])  # type: ignore[misc]

    assert found == [None, None, None]
    assert known(app) == [("A", 1, False), ("A", 2, False), ("A", 3, False), ("A", 4, True)]
