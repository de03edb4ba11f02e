"""Which text of the terms a booking agrees to. A change of the text is a new version, never an edit."""

from accounts import papers

CURRENT = "2026-11-27"  # of the house's own text


def current(organiser_id: int) -> str:
    """The version agreed to by who books with this organiser now: "organiser:version" of their own terms, else the
    house's."""
    paper = papers.current(organiser_id, "terms")
    return CURRENT if paper is None else f"{organiser_id}:{paper.version}"
