"""Policies at the desk: made from a template or as data, checked, previewed, replaced, chosen for a workshop."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from courses.models import Workshop
from history.models import Entry
from lib import db
from policies import templates, versions
from policies.models import Policy
from tests.builders import a_policy, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.organisers.desk import press, statements
from tests.page import Form, PageClient, form, main_text

pytestmark = pytest.mark.proved_on_both
POLICIES = f"{DESK}/policies"
GAP = """rules:
- {action: cancel, if: {notice: '>=14d'}, refund_pct: 100}
- {action: cancel, if: {notice: '<7d'}, refund_pct: 0}"""
WORKED = """rules:
- {action: cancel, refund_pct: 50}
examples:
- action: cancel
  at: '2027-05-20T09:00'
  event_start: '2027-06-11T10:00'
  price_minor: 10000
  expect: {refund_minor: %s}"""


def kept(app: Flask) -> list[tuple[str, int, bool]]:
    with app.app_context():
        rows = db.session.scalars(select(Policy).order_by(Policy.name, Policy.version))
        return [(row.name, row.version, row.is_default) for row in rows]


def one(app: Flask, name: str) -> Policy:
    with app.app_context():
        found = versions.current(an_organiser_id(), name)
        assert found is not None
        db.session.expunge(found)
        return found


def an_organiser_id() -> int:
    return db.session.scalars(select(Policy.organiser_id)).first() or 0


def the_form(owner: PageClient, page: str) -> Form:
    return form(owner.get(page), page)


def entries(app: Flask, verb: str) -> list[dict[str, Any]]:
    with app.app_context():
        return [dict(each.facts) for each in db.session.scalars(select(Entry).where(Entry.verb == verb))]


def test_one_is_made_from_a_template_with_figures_of_its_own(app: Flask, owner: PageClient) -> None:
    page = f"{POLICIES}/new/graded_30_14"
    typed = {"name": "Our steps", "far": "21", "charge_GBP": "7.50", "near": "7", "part": "40"}
    answer = owner.submit(the_form(owner, page), typed)

    assert answer.status_code == 303
    assert kept(app) == [("Our steps", 1, True)]
    text = main_text(owner.get(answer.location))
    assert "This version is in force" in text
    assert "If you cancel more than 21 days before the workshop, we return everything you paid, less £7.50." in text
    assert "If you cancel 7 days or more before the workshop, we return 40% of what you paid." in text
    assert [(each["name"], each["version"]) for each in entries(app, "policy_written")] == [("Our steps", 1)]


def test_amounts_are_asked_for_in_every_currency_that_is_sold(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        a_ticket(a_workshop(), code="abroad", prices={"USD": 9000, "JPY": 12000})
    page = f"{POLICIES}/new/days_7_3"
    shown = the_form(owner, page)
    assert (shown.values["charge_GBP"], shown.values["charge_USD"], shown.values["charge_JPY"]) == (
        "40.00",
        "50.00",
        "",
    )

    refused = owner.submit(shown, {"charge_USD": "51.5"})
    assert refused.status_code == 422
    assert "Please give the amount, 0 for nothing." in main_text(refused)
    assert form(refused, page).values["charge_USD"] == "51.5"
    assert owner.submit(form(refused, page), {"charge_JPY": "6000"}).status_code == 303
    rule = one(app, "Until a week before, less a charge until three days before").data["rules"][1]
    assert rule["minus_minor"] == {"GBP": 4000, "JPY": 6000, "USD": 5150}


def test_figures_in_the_wrong_order_are_refused_in_the_checker_s_words(app: Flask, owner: PageClient) -> None:
    page = f"{POLICIES}/new/graded_30_14"
    answer = owner.submit(the_form(owner, page), {"far": "7", "near": "14"})

    assert answer.status_code == 422
    assert "About cancel:" in main_text(answer)
    assert form(answer, page).values["far"] == "7"
    assert kept(app) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GAP, "About cancel: between 7 days and 14 days before the workshop (7 days included) nothing is said."),
        (GAP.replace("<7d", "<=14d"), "About cancel: at exactly 14 days before the workshop two rules say different"),
        (GAP.replace("refund_pct: 0", "refund: 0"), "Rule 2: `refund` is not known."),
        ("rules: [", "This cannot be read as YAML or JSON in line 1"),
        ("", "Please write the policy."),
        ("a: &a [1]\nrules: [*a]", "References (*name) are not understood here."),
    ],
)
def test_data_that_cannot_be_kept_is_refused_in_the_checker_s_words(
    app: Flask, owner: PageClient, text: str, said: str
) -> None:
    page = f"{POLICIES}/new/text"
    answer = owner.submit(the_form(owner, page), {"name": "Ours", "text": text})

    assert answer.status_code == 422
    assert said in main_text(answer)
    again = form(answer, page)
    assert (again.values["name"], (again.values["text"] or "").strip()) == ("Ours", text)
    assert kept(app) == []


def test_every_fault_is_named(owner: PageClient) -> None:
    page = f"{POLICIES}/new/text"
    answer = owner.submit(
        the_form(owner, page),
        {"name": "Ours", "text": GAP + "\n- {action: no_show, if: {notice: '>1d'}, refund_pct: 5}"},
    )

    assert "Two things to put right" in main_text(answer)


def test_examples_written_in_it_are_worked(app: Flask, owner: PageClient) -> None:
    page = f"{POLICIES}/new/text"
    refused = owner.submit(the_form(owner, page), {"name": "Ours", "text": WORKED % 4000})

    assert refused.status_code == 422
    assert "Ours, example 1: refund_minor is 5000, expected 4000" in main_text(refused)
    assert owner.submit(form(refused, page), {"text": WORKED % 5000}).status_code == 303
    assert kept(app) == [("Ours", 1, True)]


def test_a_preview_shows_the_words_and_keeps_nothing(app: Flask, owner: PageClient) -> None:
    page = f"{POLICIES}/new/text"
    text = "rules:\n- {action: cancel, refund_pct: 35}"
    values = the_form(owner, page).values
    answer = owner.post(f"{page}/preview", data={**values, "name": "Ours", "text": text})

    assert answer.status_code == 200
    assert "If you cancel, we return 35% of what you paid." in main_text(answer)
    assert (form(answer, page).values["text"] or "").strip() == text
    assert kept(app) == []


def test_a_name_is_taken_once(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        a_policy(name="Ours")
    answer = owner.submit(the_form(owner, f"{POLICIES}/new/no_refund_small"), {"name": "Ours"})

    assert answer.status_code == 422
    assert "You have a policy of this name." in main_text(answer)
    assert kept(app) == [("Ours", 1, True)]


def test_a_new_version_by_its_figures_keeps_the_name_and_the_default(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        number = a_policy(name="Ours").id
    page = f"{POLICIES}/{number}/graded_30_14"
    shown = the_form(owner, page)
    assert (shown.values["far"], shown.values["charge_GBP"]) == ("30", "10.00")
    assert "name" not in shown.values
    answer = owner.submit(shown, {"far": "28"})

    assert answer.status_code == 303
    assert kept(app) == [("Ours", 1, False), ("Ours", 2, True)]
    assert "more than 28 days" in main_text(owner.get(answer.location))
    older = main_text(owner.get(f"{POLICIES}/{number}"))
    assert "A later version is in force" in older
    assert "more than 30 days" in older


def test_a_new_version_as_data_starts_from_what_is_there(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        number = a_policy(name="Ours", key="no_refund_small").id
    page = f"{POLICIES}/{number}/text"
    shown = the_form(owner, page)
    text = shown.values["text"] or ""
    assert "- {action: substitute, charge_minor: 0}" in text
    assert owner.submit(shown, {"text": text.replace("refund_pct: 0", "refund_pct: 5")}).status_code == 303

    assert kept(app) == [("Ours", 1, False), ("Ours", 2, True)]
    assert owner.get(f"{POLICIES}/{number}/graded_30_14").status_code == 404


def test_the_same_again_is_no_new_version(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        number = a_policy(name="Ours").id

    assert owner.submit(the_form(owner, f"{POLICIES}/{number}/text"), {}).status_code == 303
    assert kept(app) == [("Ours", 1, True)]


def test_another_becomes_the_default(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        a_policy(name="Ours")
        other = a_policy(name="Theirs", key="no_refund_small").id
    assert press(owner, POLICIES, f"/{other}/default").status_code == 303

    assert kept(app) == [("Ours", 1, False), ("Theirs", 1, True)]
    assert [each["name"] for each in entries(app, "policy_made_default")] == ["Theirs"]


def test_the_list_says_which_workshops_go_by_which(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        a_policy(name="Ours")
        first = a_policy(name="Small", key="no_refund_small").id
        a_policy(name="Small", key="days_7_3")
        a_workshop(slug="own", title="An Evening", policy_id=first)
        a_workshop(slug="plain", title="A Day")
        a_workshop(slug="over", title="Long Ago", in_days=-30)

    rows = dict(
        re.findall(
            r'<tr>\s*<th scope="row"><a [^>]*>([^<]+)</a>(.*?)</tr>', owner.get(POLICIES).get_data(as_text=True), re.S
        )
    )
    assert ("A Day" in rows["Ours"], "An Evening" in rows["Ours"]) == (True, False)
    assert ("A Day" in rows["Small"], "An Evening" in rows["Small"]) == (False, True)
    assert "Long Ago" not in rows["Ours"]
    assert "Your default" in rows["Ours"]


def test_a_workshop_chooses_its_policy_and_gives_it_up(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        a_policy(name="Ours")
        small = a_policy(name="Small", key="no_refund_small").id
        a_workshop(slug="own")
    page = f"{DESK}/workshops/own/edit"

    def policy_id() -> int | None:
        with app.app_context():
            return db.session.scalars(select(Workshop.policy_id)).one()

    text = owner.get(page).get_data(as_text=True)
    assert "Your default, Ours" in text
    assert owner.submit(the_form(owner, page), {"policy": str(small)}).status_code == 303
    assert policy_id() == small
    assert "If you cancel, nothing is returned." in main_text(owner.get("/workshops/own"))
    with arranged(app):
        newer = a_policy(name="Small", key="days_7_3").id
    assert the_form(owner, page).values["policy"] == str(newer)
    assert owner.submit(the_form(owner, page), {}).status_code == 303
    assert policy_id() == newer
    assert owner.submit(the_form(owner, page), {"policy": ""}).status_code == 303
    assert policy_id() is None
    said = [each for each in entries(app, "workshop_changed") if each]
    assert said == [{"policy": "Small"}, {"policy": "Your default, Ours"}]


def test_another_organiser_s_policy_cannot_be_chosen_nor_seen(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        theirs = a_policy(organiser=an_organiser(slug="pim", name="Pim")).id
        a_workshop(slug="own")
    page = f"{DESK}/workshops/own/edit"
    values = the_form(owner, page).values

    assert owner.post(page, data={**values, "policy": str(theirs)}).status_code == 422
    for there in (f"{POLICIES}/{theirs}", f"{POLICIES}/{theirs}/text"):
        assert owner.get(there).status_code == 404


def test_presenters_see_nothing_of_it(app: Flask, as_role: Callable[..., PageClient]) -> None:
    with arranged(app):
        a_policy(name="Ours")
    presenter = as_role("presenter")

    assert presenter.get(POLICIES).status_code == 404
    assert "Policies" not in main_text(presenter.get(f"{DESK}/"))


def test_what_is_unknown_is_not_found(owner: PageClient) -> None:
    for there in (f"{POLICIES}/new/none", f"{POLICIES}/99", f"{POLICIES}/99/text"):
        assert owner.get(there).status_code == 404


def test_the_pages_cost_as_much_for_many_as_for_few(app: Flask, owner: PageClient, clock: Clock) -> None:
    with arranged(app):
        number = a_policy(name="Ours").id
        a_workshop(slug="own")
    pages = (POLICIES, f"{POLICIES}/{number}", f"{DESK}/workshops/own/edit")
    few = [statements(app, lambda page=page: owner.get(page)) for page in pages]  # type: ignore[misc]
    with arranged(app):
        for n in range(12):
            own = a_policy(name=f"Policy {n}", key="no_refund_small").id
            a_workshop(policy_id=own, in_days=30 + n)
            a_policy(name="Ours", key=("days_7_3", "graded_30_14")[n % 2])
    many = [statements(app, lambda page=page: owner.get(page)) for page in pages]  # type: ignore[misc]

    assert many == few


@pytest.mark.parametrize("template", templates.everything(), ids=lambda each: each.key)
def test_every_template_can_be_taken_as_it_is(app: Flask, owner: PageClient, template: templates.Template) -> None:
    answer = owner.submit(the_form(owner, f"{POLICIES}/new/{template.key}"), {})

    assert answer.status_code == 303
    policy = one(app, template.name)
    assert templates.of(policy.data, "Europe/London") == template
    assert owner.get(answer.location).status_code == 200
