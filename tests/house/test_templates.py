"""Templates hold no inline styles or scripts, load nothing from elsewhere, and trust no markup but these."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.house import source
from tests.house.source import Sources

TRUSTED = {
    "templates/macros/icon.html": "shapes drawn by us, kept in that file",
    "templates/courses/course.html": "a description that lib/texts.py rendered and cleaned",
}
SAFE = re.compile(r"\|\s*safe\b|Markup\(|autoescape\s+false", re.IGNORECASE)
ELSEWHERE = re.compile(
    r"""<(?:img|script|source|video|audio|iframe|embed|object|track)\b[^>]*\b(?:src|srcset|data|poster)\s*=\s*["'](?:[a-z]+:)?//"""
    r"""|<link\b(?![^>]*\brel=["'](?:canonical|alternate)["'])[^>]*\bhref\s*=\s*["'](?:[a-z]+:)?//"""
    r"""|@import|url\(\s*["']?(?:https?:)?//""",
    re.IGNORECASE,
)
INLINE = re.compile(
    r"""\sstyle\s*=|<style\b|<script\b(?! type="application/ld\+json">)(?![^>]*\bsrc\s*=)"""
    r"""|\son[a-z]+\s*=\s*["']|javascript:""",
    re.IGNORECASE,
)


def faults(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        is_letter = path.startswith("templates/letters/")
        for number, line in enumerate(text.splitlines(), 1):
            if SAFE.search(line) and path not in TRUSTED:
                yield f"{path}:{number} trusts markup: {line.strip()}"
            if ELSEWHERE.search(line):
                yield f"{path}:{number} loads from elsewhere: {line.strip()}"
            if INLINE.search(line) and not is_letter:  # mail clients read no other styles
                yield f"{path}:{number} is inline: {line.strip()}"


def templates() -> Sources:
    under = ("templates", "static")
    return {p: t for s in (".html", ".svg", ".css") for p, t in source.read(under=under, suffix=s).items()}


def test_templates_are_clean() -> None:
    assert list(faults(templates())) == []


@pytest.mark.parametrize(
    "text",
    [
        '<p style="color: red">',
        "<style>p { color: red }</style>",
        "<script>alert(1)</script>",
        '<button onclick="go()">',
        '<a href="javascript:go()">',
        "{{ name|safe }}",
        "{{ name | safe }}",
        "{% autoescape false %}",
        '<script src="https://cdn.example/x.js"></script>',
        '<img alt="" src="//cdn.example/x.png">',
        '<link rel="stylesheet" href="https://fonts.example/css">',
        "@import 'x.css';",
        "src: url(https://fonts.example/x.woff2)",
    ],
)
def test_a_fault_is_seen(text: str) -> None:
    assert list(faults({"templates/x.html": text}))


@pytest.mark.parametrize(
    "text",
    [
        '<script src="/static/js/x.js" defer></script>',
        '<link rel="canonical" href="https://cpd.example/">',
        '<a href="https://stripe.com">Stripe</a>',
        '<p class="only-person">',
        '<script type="application/ld+json">{{ facts|tojson }}</script>',
    ],
)
def test_what_is_clean_passes(text: str) -> None:
    assert not list(faults({"templates/x.html": text}))


def test_every_exception_is_needed() -> None:
    found = templates()
    assert [path for path in TRUSTED if not SAFE.search(found.get(path, ""))] == []


def test_every_template_compiles(app: Flask) -> None:
    names = app.jinja_env.list_templates(extensions=["html", "txt"])

    assert names
    for name in names:
        app.jinja_env.get_template(name)
