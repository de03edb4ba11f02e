"""A paper as a tagged PDF (PDF/UA-1, ISO 14289-1), from its frozen content alone: no database, no network."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import typst

from lib import money, zones
from payments.models import Invoice

TITLES = {"invoice": "Invoice", "receipt": "Receipt", "credit_note": "Credit note"}
TEMPLATE = Path(__file__).with_name("paper.typ")
INK = "#1d2b30"
_SERIF = "Libertinus Serif"  # comes with typst: Latin with every accent, Greek, Cyrillic
# A name in letters that the serif lacks is looked for in the machine's own fonts. Where no font has them, the paper is
# tagged all the same, and only not sworn to be PDF/UA, which forbids letters that cannot be drawn.
_TRIES = ((False, "ua-1"), (True, "ua-1"))


def pdf(paper: Invoice) -> bytes:
    """The PDF. Raises typst.TypstError where it cannot be set at all."""
    for system, standard in _TRIES:
        try:
            return _set(paper, system=system, standard=standard)
        except typst.TypstError:
            continue
    return _set(paper, system=True, standard="1.7")


def words(paper: Invoice) -> dict[str, Any]:
    """All that the paper says, as texts."""
    said = paper.content
    seller, buyer = said["seller"], said["buyer"]
    return {
        "title": TITLES[paper.kind],
        "number": paper.name,
        "reference": said["reference"],
        "fonts": [_SERIF],
        "colour": seller["colour"] or INK,
        "currency": paper.currency,
        "seller": {"name": seller["name"], "address": seller["address"].replace(", ", "\n")},
        "buyer_heading": "Received from" if paper.kind == "receipt" else "To",
        "buyer": "\n".join(filter(None, (buyer["name"], buyer["address"], buyer["email"]))),
        "facts": [{"name": name, "value": value} for name, value in _facts(paper)],
        "remark": said.get("remark", ""),
        "about": said["about"],
        "people": f"For {', '.join(said['people'])}" if said["people"] else "",
        "lines": [{"text": each["text"], "amount": _amount(each["minor"], paper)} for each in said["lines"]],
        "sums": [
            {"text": text, "amount": _amount(minor, paper), "strong": strong} for text, minor, strong in _sums(paper)
        ],
        "vat": _vat_words(said["vat"]),
        "how": _how(paper),
        "foot": _foot(seller),
    }


def _set(paper: Invoice, *, system: bool, standard: str) -> bytes:
    return typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        font_paths=_fonts(system),
        sys_inputs={"data": json.dumps(words(paper))},
        pdf_standards=[cast(Any, standard)],
        timestamp=int(paper.issued_at.timestamp()),
    )


def _facts(paper: Invoice) -> Iterator[tuple[str, str]]:
    said = paper.content
    yield "Number", paper.name
    yield "Date", zones.day(date.fromisoformat(said["issued_on"]))
    if paper.due_on:
        yield "Please pay by", zones.day(paper.due_on)
    if said.get("credits"):
        yield "For invoice", said["credits"]
    yield "Booking", said["reference"]
    if said["buyer"].get("purchase_order"):
        yield "Your order number", said["buyer"]["purchase_order"]
    if said["seller"]["vat_number"]:
        yield "Our VAT number", said["seller"]["vat_number"]


def _sums(paper: Invoice) -> Iterator[tuple[str, int, bool]]:
    """What it comes to: the total, the VAT in what this paper is for, what came, what is still to pay."""
    said, vat = paper.content, paper.content["vat"]
    whole = sum(each["minor"] for each in said["lines"])
    if vat["mode"] == "included" and paper.kind != "receipt":
        yield "Net", whole - vat["minor"], False
        yield f"VAT at {_percent(vat['rate'])}", vat["minor"], False
    yield ("Total credited" if paper.kind == "credit_note" else "Total"), whole, True
    for each in said["received"]:
        yield f"{each['how']}, {zones.day(date.fromisoformat(each['on']))}", each["minor"], False
    if paper.kind == "receipt":
        if vat["mode"] == "included":
            yield f"VAT at {_percent(vat['rate'])} included in what was received", vat["minor"], False
        yield "Received", paper.total_minor, True
    if said["open_minor"] and paper.kind != "credit_note":
        yield "Still to pay", said["open_minor"], True


def _vat_words(vat: Mapping[str, Any]) -> str:
    if vat["mode"] == "exempt":
        return "Exempt from VAT."
    return "No VAT is charged: the seller is not registered for it." if vat["mode"] == "none" else ""


def _how(paper: Invoice) -> str:
    if paper.kind != "invoice" or not paper.due_on:
        return ""
    said = paper.content
    amount, by = _amount(said["open_minor"], paper), zones.day(paper.due_on)
    ways = [f"Please pay {amount} by {by}, quoting {paper.name}.", said["seller"]["bank_details"]]
    return "\n".join(filter(None, (*ways, "Whoever made the booking can also pay it by card on the booking's page.")))


def _foot(seller: Mapping[str, str]) -> str:
    return ". ".join(filter(None, (seller["name"], seller["address"], seller["email"], seller["phone"])))


def _amount(minor: int, paper: Invoice) -> str:
    return money.text(minor, paper.currency)


def _percent(rate: int) -> str:
    whole, part = divmod(rate, 100)
    return f"{whole}{f'.{part:02d}'.rstrip('0') if part else ''}%"


@lru_cache(maxsize=2)
def _fonts(system: bool) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=system)
