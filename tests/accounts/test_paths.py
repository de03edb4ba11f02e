"""Where an answer may lead (SEC-01)."""

from urllib.parse import urljoin, urlsplit

import pytest
from flask import redirect
from hypothesis import example, given
from hypothesis import strategies as st

from lib.paths import safe_path

ELSEWHERE = [
    "/\t/evil.example",
    "////evil.example",
    " //evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "https://evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/\u2028/evil.example",
    "/\x00/evil.example",
    "//[evil",
    "",
    "/" + "a" * 300,
]


@pytest.mark.parametrize("text", [*ELSEWHERE, None])
def test_sec_01_what_leaves_the_site_leads_home(text: str | None) -> None:
    assert safe_path(text, "/me") == "/me"


@pytest.mark.parametrize("text", ["/account?tab=1", "/", "/workshops/a-b?x=%2F%2Fevil.example#top", "/grüße"])
def test_a_path_of_ours_stays(text: str) -> None:
    assert safe_path(text, "/me") == text


@given(st.text(st.sampled_from(list("/\\ \t\n\r:@.?#%25evilhtps\u00a0\u2028"))) | st.text())
@example("/\t/evil.example")
@example("/%09/evil.example")
@example("/.//evil.example")
def test_the_location_header_never_names_another_host(text: str) -> None:
    location = redirect(safe_path(text, "/me")).headers["Location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert urlsplit(urljoin("https://colloquy.example/sign-in", location)).netloc == "colloquy.example"
