"""The booking form as browsers and programs send it."""

from collections.abc import Mapping, Sequence

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.bookings.making import ANN, People
from tests.page import PageClient, form, inspect_page, tree, words

JSON = {"Accept": "application/json"}
Typed = dict[str, str]


def typed(
    client: PageClient, slug: str, people: People = (ANN,), changes: Mapping[str, str | None] | None = None
) -> Typed:
    """Every field of a fresh form, filled in rightly but for `changes`; None leaves a field out."""
    found = form(client.get(f"/workshops/{slug}/bookings/new"), "/bookings")
    data = {**found.values, "booker_name": "Bea Booker", "booker_email": "bea@clinic.example", "agree_terms": "y"}
    for n, (name, email) in enumerate(people):
        data |= {f"attendee-{n}-name": name, f"attendee-{n}-email": email}
    data |= {name: value for name, value in (changes or {}).items() if value is not None}
    return {name: value for name, value in data.items() if (changes or {}).get(name, value) is not None}


def send(client: PageClient, slug: str, data: Typed, *, to: str = "bookings", as_json: bool = False) -> TestResponse:
    """Post it; the answer of a form that only grows or shrinks is inspected too."""
    path = f"/workshops/{slug}/{to}"
    if "add" not in data and "remove" not in data:
        return client.post(path, data=data, headers=JSON if as_json else {})
    answer = FlaskClient.open(client, path, method="POST", data=data)
    assert inspect_page(answer.get_data(as_text=True)) == []
    return answer


def problems(answer: TestResponse) -> dict[str, str]:
    """What a page says is to be put right, by the id of the field it leads to.

    Each is listed at the top and said at its field, which names the words that describe it.
    """
    root = tree(answer.get_data(as_text=True))
    by_id = {each.get("id"): each for each in root.iter() if each.get("id")}
    if "problems" not in by_id:
        return {}
    found = {}
    for link in by_id["problems"].iter("a"):
        field = (link.get("href") or "").removeprefix("#")
        said = words(link)
        assert f"{field}-error" in (by_id[field].get("aria-describedby") or "").split(), field
        assert said in words(by_id[f"{field}-error"])
        found[field] = said
    assert len(found) == len(list(by_id["problems"].iter("li")))
    return found


def kept(answer: TestResponse, names: Sequence[str]) -> list[str | None]:
    """What stands in these fields of the form on the page."""
    values = form(answer, "/bookings").values
    return [values.get(name) for name in names]
