"""Paths that a request names and an answer may lead to."""

from urllib.parse import urlsplit

LONGEST = 300


def safe_path(text: str | None, default: str) -> str:
    """`text` if it is a path on this site, otherwise `default`.

    Browsers and Werkzeug drop tabs, line breaks and leading spaces and read a backslash as a slash, after which
    `/<TAB>/host` is another site; so anything that holds one of them is refused rather than cleaned.
    """
    path = text or ""
    if len(path) > LONGEST or not path.startswith("/") or path.startswith("//") or "\\" in path:
        return default
    if not path.isprintable() or any(c.isspace() for c in path):
        return default
    try:
        parts = urlsplit(path)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else path
