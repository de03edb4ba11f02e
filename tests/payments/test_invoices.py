"""Papers with numbers: each series 1, 2, 3; what is issued stays as it is; and the PDF read back."""

import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from threading import Barrier, BrokenBarrierError
from typing import Any

import pypdf
import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DatabaseError, IntegrityError

from lib import db
from lib.work import run_due
from payments import invoices, paper
from payments.models import Bill, Invoice, InvoiceSeries
from tests.builders import an_organiser, arranged
from tests.conftest import Clock, at_once
from tests.payments.paying import a_bill

both = pytest.mark.both_databases
LONDON = "Europe/London"
CONTENT: dict[str, Any] = {
    "seller": {
        "name": "Sea Street CPD Ltd",
        "address": "4 Invented Row, Brighton",
        "email": "hello@sea-street.example",
        "phone": "01273 496 000",
        "vat_number": "GB 980 7806 84",
        "colour": "",
        "bank_details": "Sort code 00-00-00\nAccount 12345678",
    },
    "buyer": {
        "name": "Leeds Community Trust",
        "address": "1 Hospital Road\nLeeds",
        "email": "accounts@trust.example",
        "purchase_order": "PO-4711",
    },
    "reference": "CQ-7K2M-4D",
    "about": "Listening Under Pressure, Friday 18 June 2027",
    "people": ["Ann Attwood", "Bob Barnes"],
    "lines": [{"text": "Organisation, 2 at £218.00", "minor": 43600}, {"text": "WELCOME20, 20% off", "minor": -8720}],
    "vat": {"mode": "included", "rate": 2000, "minor": 5813},
    "received": [],
    "open_minor": 34880,
    "issued_on": "2027-03-02",
}


def issue(
    bill: Bill, kind: str = "receipt", *, key: str = "", now: datetime, zone: str = LONDON, **said: Any
) -> Invoice:
    last = db.session.scalar(select(func.count()).select_from(Invoice)) or 0
    due_on = date(2027, 3, 16) if kind == "invoice" else None
    content = {**CONTENT, **said}
    return invoices.issue(bill, kind, content, 34880, key=key or f"k{last}", zone=zone, now=now, due_on=due_on)


def a_paper(kind: str = "invoice", *, currency: str = "GBP", total_minor: int = 34880, **said: Any) -> Invoice:
    """A paper that no database keeps."""
    return Invoice(
        kind=kind,
        series={"invoice": "INV-2027", "receipt": "REC-2027", "credit_note": "CN-2027"}[kind],
        number=7,
        currency=currency,
        total_minor=total_minor,
        content={**CONTENT, **said},
        due_on=date(2027, 3, 16) if kind == "invoice" else None,
        issued_at=datetime(2027, 3, 2, 9, tzinfo=UTC),
    )


def read(pdf: bytes) -> tuple[pypdf.PdfReader, str]:
    found = pypdf.PdfReader(io.BytesIO(pdf))
    return found, "\n".join(page.extract_text() for page in found.pages)


def roles(pdf: pypdf.PdfReader) -> set[str]:
    """The kinds of structure the file is tagged with."""

    def below(node: Any) -> Iterator[str]:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for each in node:
                yield from below(each)
        elif isinstance(node, dict):
            if "/S" in node:
                yield str(node["/S"])
            if "/K" in node:
                yield from below(node["/K"])

    root: Any = pdf.trailer["/Root"]
    return set(below(root["/StructTreeRoot"]))


# Numbers


@both
def test_each_series_counts_from_one(app: Flask, clock: Clock) -> None:
    with arranged(app):
        bill = a_bill()
        names = [issue(bill, kind, now=clock.at).name for kind in ("receipt", "receipt", "invoice", "receipt")]
        # The year is the organiser's: half past eleven in London is next year in Auckland.
        midnight = datetime(2027, 12, 31, 23, 30, tzinfo=UTC)
        names += [issue(bill, now=midnight, zone=zone).name for zone in (LONDON, "Pacific/Auckland", LONDON)]
    assert names == [
        "REC-2027-0001", "REC-2027-0002", "INV-2027-0001", "REC-2027-0003", "REC-2027-0004", "REC-2028-0001",
        "REC-2027-0005",
    ]  # fmt: skip
    with app.app_context():
        assert list(invoices.missing_numbers()) == []
        first = invoices.by_name(1, "REC-2027-0002")
        assert first
        assert first.number == 2
        assert [invoices.by_name(1, each) for each in ("REC-2027-2", "REC-2027-0009", "0001", "INV-2027-", "x-²")] == [
            None
        ] * 5


@both
def test_organisers_count_apart(app: Flask, clock: Clock) -> None:
    with arranged(app):
        other = an_organiser(slug="pim", name="Pim")
        bill = Bill(organiser_id=other.id, currency="GBP", total_minor=1, created_at=clock.at)
        db.session.add(bill)
        db.session.flush()
        assert issue(a_bill(), now=clock.at).name == issue(bill, now=clock.at).name == "REC-2027-0001"


@both
def test_a_number_that_nobody_kept_is_given_again(app: Flask, clock: Clock) -> None:
    with arranged(app):
        issue(a_bill(), now=clock.at)

    def wrong() -> None:
        with db.writing():
            issue(a_bill(), now=clock.at)
            raise RuntimeError("something else went wrong")

    with app.app_context(), pytest.raises(RuntimeError):
        wrong()
    with arranged(app):
        assert issue(a_bill(), now=clock.at).name == "REC-2027-0002"
        assert list(invoices.missing_numbers()) == []


@both
def test_the_same_is_papered_once(app: Flask, clock: Clock) -> None:
    with arranged(app):
        issue(a_bill(), key="payment:1", now=clock.at)
    with pytest.raises(IntegrityError), arranged(app):
        issue(a_bill(), key="payment:1", now=clock.at)


CHANGES = {
    "its total": update(Invoice).values(total_minor=1),
    "what it says": update(Invoice).values(content={}),
    "that it was": delete(Invoice),
}


@both
@pytest.mark.parametrize("change", CHANGES)
def test_the_database_itself_refuses_to_change_a_paper(app: Flask, clock: Clock, change: str) -> None:
    with arranged(app):
        issue(a_bill(), now=clock.at)
    with pytest.raises(DatabaseError, match="never changed"), arranged(app):
        db.session.execute(CHANGES[change])


# The same moment


def race(app: Flask, clock: Clock, number: int = 6) -> list[Any]:
    with arranged(app):
        bills = [a_bill().id for _ in range(number)]

    def issuing(bill_id: int) -> Any:
        def act() -> str:
            with db.writing():
                return issue(db.session.get_one(Bill, bill_id), key=f"bill:{bill_id}", now=clock.at).name

        return act

    return at_once(app, [issuing(each) for each in bills])


@both
def test_six_at_once_get_six_numbers(app: Flask, clock: Clock) -> None:
    assert sorted(race(app, clock)) == [f"REC-2027-000{n}" for n in range(1, 7)]
    with app.app_context():
        assert list(invoices.missing_numbers()) == []


@both
def test_need_the_lock_of_the_series(
    app: Flask, clock: Clock, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever only looks which number came last gives the next one twice, and the key refuses the second paper.

    SQLite lets one writer in at a time, so there the same mistake does no harm: the house's own lock stands before it.
    """
    gate = Barrier(2)

    def looked_up(organiser_id: int, series: str) -> int:
        found = db.session.scalar(select(func.max(Invoice.number)).where(Invoice.series == series)) or 0
        if database_kind == "postgresql":
            with suppress(BrokenBarrierError):
                gate.wait(10)
        return found + 1

    monkeypatch.setattr(invoices, "_next", looked_up)
    found = race(app, clock, 2)
    kinds = sorted(each if isinstance(each, str) else type(each).__name__ for each in found)
    wanted = {"postgresql": ["IntegrityError", "REC-2027-0001"], "sqlite": ["REC-2027-0001", "REC-2027-0002"]}
    assert kinds == wanted[database_kind]


@both
def test_a_hole_is_seen(app: Flask, clock: Clock) -> None:
    with arranged(app):
        issue(a_bill(), now=clock.at)
        db.session.execute(update(InvoiceSeries).values(last=2))
        assert list(invoices.missing_numbers()) == [
            "series REC-2027 of organiser:1 gave 2 numbers, and has 1 papers to 1"
        ]


# The paper itself


def test_an_invoice_says_all_of_it_and_is_tagged() -> None:
    found, text = read(paper.pdf(a_paper()))
    for said in (
        "Sea Street CPD Ltd", "Invoice", "INV-2027-0007", "Tuesday 2 March 2027", "Tuesday 16 March 2027", "PO-4711",
        "GB 980 7806 84", "Leeds Community Trust", "1 Hospital Road", "accounts@trust.example", "CQ-7K2M-4D",
        "For Ann Attwood, Bob Barnes", "Organisation, 2 at £218.00", "£436.00", "-£87.20", "VAT at 20%", "£58.13",
        "Net", "£290.67", "Total", "£348.80", "Please pay £348.80 by Tuesday 16 March 2027, quoting INV-2027-0007.",
        "Sort code 00-00-00", "Page 1 of 1",
    ):  # fmt: skip
        assert said in text, said
    root: Any = found.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"] == "en-GB"
    assert found.metadata
    assert found.metadata.title == "Invoice INV-2027-0007"
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/P"} <= roles(found)


def test_a_receipt_says_what_came_and_what_is_left() -> None:
    came = [{"on": "2027-03-03", "how": "Bank transfer, LCT-22", "minor": 10000}]
    receipt = a_paper(
        "receipt",
        total_minor=10000,
        received=came,
        open_minor=24880,
        vat={"mode": "included", "rate": 2000, "minor": 1667},
    )
    _, text = read(paper.pdf(receipt))
    for said in (
        "Receipt", "REC-2027-0007", "Received from", "Bank transfer, LCT-22, Wednesday 3 March 2027", "£100.00",
        "VAT at 20% included in what was received", "£16.67", "Still to pay", "£248.80",
    ):  # fmt: skip
        assert said in text, said
    assert "How to pay" not in text


def test_a_credit_note_names_its_invoice() -> None:
    note = a_paper("credit_note", credits="INV-2027-0003", remark="It takes back what invoice INV-2027-0003 asked for.")
    _, text = read(paper.pdf(note))
    for said in ("Credit note", "CN-2027-0007", "For invoice", "INV-2027-0003", "Total credited", "It takes back"):
        assert said in text, said
    assert "Still to pay" not in text


@pytest.mark.parametrize(
    ("currency", "minor", "said"), [("JPY", 24000, "JP¥24,000"), ("KWD", 24500, "KWD24.500"), ("EUR", 24000, "€240.00")]
)
def test_each_currency_has_its_own_digits(currency: str, minor: int, said: str) -> None:
    lines = [{"text": "Standard", "minor": minor}]
    vat = {"mode": "none", "rate": 0, "minor": 0}
    made = a_paper(currency=currency, total_minor=minor, lines=lines, vat=vat, open_minor=minor)
    _, text = read(paper.pdf(made))
    assert text.replace("\u00a0", "").count(said) >= 3
    assert "No VAT is charged" in text
    assert "Net" not in text


def test_who_is_exempt_says_so() -> None:
    _, text = read(paper.pdf(a_paper(vat={"mode": "exempt", "rate": 0, "minor": 0})))
    assert "Exempt from VAT." in text


@pytest.mark.parametrize(
    "name", ["Łukasz Żółw Ørsted ẞ", "Ελένη Παππά", "Жанна Чорна", "Nguyễn Thị Ánh", "O’Neil & Søn"]
)
def test_names_are_written_as_they_are(name: str) -> None:
    found, text = read(paper.pdf(a_paper(people=[name])))
    assert name in text
    root: Any = found.trailer["/Root"]
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()


@pytest.mark.parametrize("name", ["李小龙", "😀 Smile", "محمد علي", "ปรีชา", "\ue000 private"])
def test_letters_without_a_font_still_make_a_tagged_paper(name: str) -> None:
    found, text = read(paper.pdf(a_paper(people=[name, "Ann Attwood"])))
    root: Any = found.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value is True
    assert "Ann Attwood" in text


@pytest.mark.parametrize(
    "typed",
    ['#import "@preview/x:1.0.0"', "$x$ *bold* _it_ <label> @ref", '#read("/etc/passwd")', '"]) #panic()', "\\u{7}"],
)
def test_what_was_typed_is_never_read_as_markup(typed: str) -> None:
    buyer = {**CONTENT["buyer"], "name": typed}
    _, text = read(paper.pdf(a_paper(buyer=buyer, lines=[{"text": typed, "minor": 100}], about=typed)))
    assert text.count(typed) == 3


def test_a_long_paper_goes_on_to_the_next_page() -> None:
    lines = [{"text": f"Ticket {n}", "minor": 100} for n in range(90)]
    found, text = read(paper.pdf(a_paper(lines=lines)))
    assert len(found.pages) > 1
    assert f"Page 1 of {len(found.pages)}" in text


def test_the_same_paper_is_the_same_file() -> None:
    assert paper.pdf(a_paper()) == paper.pdf(a_paper())


@both
def test_the_worker_makes_the_file_once(app: Flask, clock: Clock) -> None:
    with arranged(app):
        number = issue(a_bill(), "invoice", now=clock.at).id
    with app.app_context():
        assert invoices.pdf_of(number) is None
        run_due(app.extensions["handlers"])
        made = invoices.pdf_of(number)
        assert made is not None
        assert made.startswith(b"%PDF-")
    with arranged(app):  # a worker that died after it did so
        invoices.keep_pdf(db.session.get_one(Invoice, number), b"another", clock.at)
    with app.app_context():
        assert invoices.pdf_of(number) == made
