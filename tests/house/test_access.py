"""Every route says who may open it."""

from collections.abc import Iterator

from flask import Flask

from accounts import open_to
from accounts.models import ROLES

WORDS = {"anyone", "holder_of_link", "sender_of_signature", "signed_in"}


def unsaid(app: Flask) -> Iterator[str]:
    for endpoint, view in app.view_functions.items():
        if endpoint == "static":
            continue
        said = getattr(view, "open_to", None)
        roles = str(said).removeprefix("team:").split(",") if str(said).startswith("team:") else None
        if said not in WORDS and not (roles and set(roles) <= set(ROLES)):
            yield f"{endpoint} is open to {said!r}"


def team_pages_elsewhere(app: Flask) -> Iterator[str]:
    """Back-office pages name their organiser in the address, and nothing else is below it."""
    for rule in app.url_map.iter_rules():
        said = str(getattr(app.view_functions[rule.endpoint], "open_to", ""))
        is_below = rule.rule.startswith("/organise/<organiser>")
        if said.startswith("team:") != is_below:
            yield f"{rule.rule} is open to {said!r}"


def test_every_route_says_who_may_open_it(app: Flask) -> None:
    assert list(unsaid(app)) == []
    assert list(team_pages_elsewhere(app)) == []


def test_a_silent_route_is_seen() -> None:
    small = Flask("small")
    small.add_url_rule("/said", "said", open_to.anyone(lambda: ""))
    small.add_url_rule("/silent", "silent", lambda: "")
    small.add_url_rule("/backoffice", "backoffice", open_to.team("owner")(lambda organiser: ""))

    assert list(unsaid(small)) == ["silent is open to None"]
    assert list(team_pages_elsewhere(small)) == ["/backoffice is open to 'team:owner'"]


def test_get_never_posts_and_post_never_gets(app: Flask) -> None:
    """A page and the act on it are two views, so that no GET can be taken for consent."""
    both = [rule.rule for rule in app.url_map.iter_rules() if rule.methods and {"GET", "POST"} <= rule.methods]

    assert both == []
