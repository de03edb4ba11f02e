from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import texts

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "<svg onload=alert(1)>",
    "<p style='position:fixed' onclick=x class=y id=main>x</p>",
    "<iframe src=//evil.example></iframe>",
    "<form action=//evil.example><input name=card></form>",
    "<style>p{display:none}</style>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "![x](https://evil.example/pixel.png)",
    "<h1>Another heading</h1>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_rich_text_holds_nothing_but_what_is_allowed(attack: str) -> None:
    for each in _elements(texts.rich(f"Before {attack} after\n\n{attack}")):
        assert each.tag in texts.TAGS
        assert set(each.attrib) <= texts.ATTRIBUTES.get(each.tag, set()) | {"rel"}
        assert each.get("href", "https:").startswith(("https:", "http:", "mailto:"))


@given(st.text(max_size=300))
def test_whatever_is_written(text: str) -> None:
    assert {each.tag for each in _elements(texts.rich(text))} <= texts.TAGS


def test_markdown_and_a_little_html_come_through() -> None:
    made = texts.rich("A *day* on **grief**.\n\n- bring a case\n- [read](https://x.example/a)\n\n<h3>Who for</h3>")

    assert made == (
        "<p>A <em>day</em> on <strong>grief</strong>.</p>\n<ul>\n<li>bring a case</li>\n"
        '<li><a href="https://x.example/a" rel="noopener noreferrer">read</a></li>\n</ul>\n<h3>Who for</h3>'
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ""),
        ("R&D: Q&amp;A <b>live</b>", "R&D: Q&A live"),
        ("One.\n\nTwo *words*.", "One.\nTwo words."),
        ("- a\n- b", "a\nb"),
        ("5 < 6 > 4", "5 < 6 > 4"),
        ("<script>alert(1)</script>Safe", "Safe"),
    ],
)
def test_plain_text_has_no_markup_and_no_entities(written: str, read: str) -> None:
    assert texts.plain(written) == read


def _elements(markup: str) -> list[Element]:
    return list(html5lib.parseFragment(markup, namespaceHTMLElements=False).iter())[1:]
