"""Organisers' texts: Markdown with a little HTML in, safe HTML or plain text out."""

import html
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

TAGS = {"p", "br", "em", "strong", "b", "i", "a", "ul", "ol", "li", "h3", "h4", "blockquote", "hr", "code"}
ATTRIBUTES = {"a": {"href", "title"}}


@lru_cache(maxsize=1024)
def rich(text: str) -> str:
    """Safe HTML: an allow-list of tags, links to http(s) and mailto only, rel=noopener (OWASP: sanitise on output)."""
    made = MarkdownIt("commonmark", {"html": True}).render(text)
    return nh3.clean(
        made, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel="noopener noreferrer"
    )


@lru_cache(maxsize=1024)
def plain(text: str) -> str:
    """The same text without any markup or entities, paragraphs as lines: for calendars, letters and descriptions."""
    bare = html.unescape(nh3.clean(rich(text), tags=set()))
    lines = (line.strip() for line in bare.splitlines())
    return "\n".join(line for line in lines if line)
