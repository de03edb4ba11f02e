"""The browser of the tests sees what is wrong with a page, and sends what a person would."""

import pytest
from flask import Flask, redirect, request

from tests.page import PageClient, form, inspect_page, main_text

GOOD = """<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><title>Book a place - Colloquy</title>
<link rel="stylesheet" href="/static/css/base.css"><link rel="canonical" href="https://cpd.example/x"></head>
<body><a href="#main">Skip</a><main id="main"><h1>Book a place</h1><h2>You</h2>
<form action="/bookings?a=1" method="post"><input type="hidden" name="csrf_token" value="t">
<label for="name">Name</label><input id="name" name="name" value="Ann" aria-describedby="hint"><p id="hint">Yours.</p>
<label>Zone <select name="zone"><option value="a">A</option><option selected>Europe/Paris</option></select></label>
<label><input type="checkbox" name="agree" value="yes"> Agree</label>
<label><input type="radio" name="ticket" value="one" checked> One</label>
<label><input type="radio" name="ticket" value="two"> Two</label>
<textarea name="note" aria-label="Note">Hello
there</textarea><input name="gone" aria-label="Gone" disabled value="x">
<button>Book</button><button name="add" value="1" formaction="/more">Add a person</button></form>
<h2>Then</h2><h3>More</h3><img src="/x.svg" alt=""></main></body></html>"""


def test_a_good_page_passes() -> None:
    assert inspect_page(GOOD) == []


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ("<!doctype html>\n", "", "not well formed"),
        ("</h1>", "", "not well formed"),
        ("<p id=", "<p id=hint id=", "not well formed"),
        (' lang="en-GB"', "", "language"),
        ("<h1>Book a place</h1>", "<h2>Book a place</h2>", "0 h1"),
        ("<h2>You</h2>", "<h1>Book a place</h1>", "2 h1"),
        ("<title>Book", "<title>Buy", "does not begin"),
        ('<h3>More</h3>', '<h4>More</h4>', "after h2 comes h4"),
        ('<p id="hint">', '<p id="name">', "'name' is there 2 times"),
        ('id="hint"', 'id="other"', "names nothing"),
        ('href="#main"', 'href="#nowhere"', "leads nowhere"),
        ('<label for="name">Name</label>', "", "has no label"),
        ('<label for="name">Name</label>', '<label for="name"></label>', "has no label"),
        (' aria-label="Note"', "", "has no label"),
        ('action="/bookings?a=1" ', "", "action and a method"),
        (' method="post"', "", "action and a method"),
        ('<input type="hidden" name="csrf_token" value="t">', "", "0 csrf_token"),
        ('method="post"', 'method="get"', "into the address"),
        ("<h2>Then</h2>", '<h2 style="color:red">Then</h2>', "inline style="),
        ("<h2>Then</h2>", "<h2 onclick='x()'>Then</h2>", "inline onclick="),
        ("</main>", "<script>x()</script></main>", "inline script"),
        ("</head>", "<style>p{}</style></head>", "inline style"),
        ('src="/x.svg"', 'src="https://cdn.example/x.svg"', "from elsewhere"),
        ('href="/static/css/base.css"', 'href="//cdn.example/x.css"', "from elsewhere"),
        (' alt=""', "", "has no alt"),
        (">Skip</a>", "></a>", "without words"),
        ("<h2>Then</h2>", '<a href="javascript:x()">x</a><h2>Then</h2>', "javascript:"),
        ("<h2>Then</h2>", "<button>Lost</button><h2>Then</h2>", "belongs to no form"),
    ],
)  # fmt: skip
def test_a_fault_is_said(part: str, instead: str, said: str) -> None:
    assert part in GOOD
    found = inspect_page(GOOD.replace(part, instead, 1))

    assert any(said in each for each in found), found


@pytest.fixture
def small() -> PageClient:
    app = Flask("small")
    app.test_client_class = PageClient
    app.add_url_rule("/", "page", lambda: GOOD)
    app.add_url_rule("/again", "again", lambda: GOOD, methods=["POST"])
    app.add_url_rule("/quote", "quote", lambda: GOOD, methods=["POST"])
    app.add_url_rule("/bad", "bad", lambda: GOOD.replace("<h1>", "<h2>").replace("</h1>", "</h2>"))
    app.add_url_rule("/bookings", "book", lambda: redirect(f"/?{request.form!r}", 303), methods=["POST"])
    app.add_url_rule("/more", "more", lambda: (GOOD, 422), methods=["POST"])
    client = app.test_client()
    assert isinstance(client, PageClient)
    return client


def test_the_client_stops_at_a_bad_page(small: PageClient) -> None:
    assert main_text(small.get("/")).startswith("Book a place You")
    with pytest.raises(AssertionError, match="GET /bad: 0 h1"):
        small.get("/bad")


def test_a_post_is_answered_by_303_or_an_error(small: PageClient) -> None:
    with pytest.raises(AssertionError, match="200 instead of 303"):
        small.post("/again")
    assert small.post("/quote").status_code == 200
    assert small.post("/more").status_code == 422


def test_a_form_sends_what_a_browser_would(small: PageClient) -> None:
    found = form(small.get("/"), "/bookings")

    assert found.names == ["name", "zone", "agree", "ticket", "note"]
    assert found.values == {
        "csrf_token": "t", "name": "Ann", "zone": "Europe/Paris", "ticket": "one", "note": "Hello\nthere",
    }  # fmt: skip
    found.fill({"name": "Bob", "zone": "a", "agree": True, "ticket": "two"})
    assert found.sent("add")["add"] == ["1"]
    assert found.target("add") == "/more"
    assert {name: found.values[name] for name in ("name", "zone", "agree", "ticket")} == {
        "name": "Bob", "zone": "a", "agree": "yes", "ticket": "two",
    }  # fmt: skip
    assert small.submit(found, {"agree": False}).status_code == 303
    assert "agree" not in found.values
    assert small.submit(found, press="add").status_code == 422


@pytest.mark.parametrize(
    "changes", [{"unknown": "x"}, {"gone": "x"}, {"zone": "Mars"}, {"ticket": "three"}, {"name": True}, {"agree": "no"}]
)
def test_nothing_is_sent_that_the_page_does_not_offer(small: PageClient, changes: dict[str, str | bool]) -> None:
    found = form(small.get("/"), "/bookings")

    with pytest.raises(AssertionError):
        found.fill(changes)


def test_the_form_meant_is_there_once(small: PageClient) -> None:
    with pytest.raises(AssertionError, match="0 forms lead to '/elsewhere'"):
        form(small.get("/"), "/elsewhere")
