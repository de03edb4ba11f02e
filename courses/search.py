"""Which workshops a visitor asks for: words, topic, format, dates, free places, price.

Pure, over the shelf's facts: they are in memory already (docs/decisions/0001), so a search asks the database nothing,
finds the same on SQLite and PostgreSQL, and is right at the very request at which a title changes. Every word must
begin some word of the title, the presenters, the topic, the summary or the texts; accents and capitals do not count.
What is typed is only ever compared as text, so there is no syntax to get wrong. The folded words of a workshop are
kept by its facts; an index in the database is worth its upkeep when a catalogue no longer fits into memory.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from courses.catalogue import FORMATS, Listing
from courses.shelf import WorkshopFacts
from lib import money, texts, zones

TOPICS = {
    "attachment": "Attachment", "body": "Body and trauma", "climate": "Climate", "couples": "Couples",
    "dreams": "Dreams", "ethics": "Ethics", "grief": "Loss and grief", "groups": "Groups",
    "neurodiversity": "Neurodiversity", "parts": "Parts and self", "siblings": "Family and siblings",
    "supervision": "Supervision",
}  # fmt: skip
LONGEST, MOST_WORDS, MOST_PRICE = 200, 12, 9_999_999


@dataclass(frozen=True)
class Wish:
    """What was asked for; what could not be understood is left out rather than refused."""

    words: str = ""
    topic: str = ""
    formats: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    only_free_places: bool = False
    most: int | None = None  # in whole units of each workshop's own currency
    recordings: bool = False  # what is over and can still be caught up with, instead of what is to come

    @property
    def is_any(self) -> bool:
        """Whether it leaves something out of the list."""
        return self != Wish(recordings=self.recordings)


def wish(given: Mapping[str, str], formats: list[str]) -> Wish:
    """The wish in a query."""
    most = given.get("most", "").strip()
    return Wish(
        words=" ".join(given.get("q", "")[:LONGEST].replace("\0", " ").split()),
        topic=topic if (topic := given.get("topic", "")) in TOPICS else "",
        formats=tuple(each for each in FORMATS if each in formats),
        since=_date(given.get("from", "")),
        until=_date(given.get("to", "")),
        only_free_places=given.get("free") == "1",
        recordings=given.get("recordings") == "1",
        most=min(int(most), MOST_PRICE) if re.fullmatch(r"[0-9]{1,7}", most) else None,
    )


def fits(workshop: WorkshopFacts, asked: Wish, zone: str) -> bool:
    """Whether it is what was asked for, as far as its facts can say. Days are those of the zone the page is read in."""
    first = zones.wall(workshop.starts_at, zone or workshop.zone).date()
    last = zones.wall(workshop.ends_at, zone or workshop.zone).date()
    return (
        (not asked.topic or workshop.topic == asked.topic)
        and (not asked.formats or workshop.format in asked.formats)
        and (asked.since is None or last >= asked.since)
        and (asked.until is None or first <= asked.until)
        and _has_words(workshop, asked.words)
    )


def stands(listing: Listing, asked: Wish) -> bool:
    """Whether it is what was asked for as it stands now: with a place on sale, at no more than the price."""
    if asked.recordings and listing.catch_up is None:
        return False
    if asked.only_free_places and not (listing.bookable if asked.recordings else listing.sells_live):
        return False
    if asked.most is None:
        return True
    limit = asked.most * 10 ** money.exponent(listing.currency)
    return listing.price_minor is not None and listing.price_minor <= limit


def _has_words(workshop: WorkshopFacts, typed: str) -> bool:
    wanted = folded(typed)[:MOST_WORDS]
    if not wanted:
        return not typed
    known = _words_of(workshop)
    return all(f" {word}" in known for word in wanted)


def _words_of(workshop: WorkshopFacts) -> str:
    return _words(
        workshop.description, workshop.title, TOPICS.get(workshop.topic, ""), workshop.summary,
        workshop.audience, workshop.outcomes, workshop.programme, workshop.organiser.name,
        *(who.name for who in workshop.presenters), *(each.title for each in workshop.sessions),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _words(description: str, *said: str) -> str:
    """All the words there are. Remembered by the texts, whatever else is known of a workshop."""
    return " " + " ".join(word for text in (texts.plain(description), *said) for word in folded(text))


@lru_cache(maxsize=4096)
def folded(text: str) -> list[str]:
    """The words of a text as they are compared: without capitals, accents, apostrophes and marks."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'\u2019")
    return re.findall(r"\w+", plain)


def _date(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if re.fullmatch(r"\d{4}-\d\d-\d\d", typed, re.ASCII) else None
    except ValueError:
        return None
