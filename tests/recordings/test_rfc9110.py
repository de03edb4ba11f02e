"""Every rule of RFC 9110 section 14, and of 13 where ranges meet conditions, asked of the application and of nginx.

One table: the rule, the request, the right answer. nginx stands in front with deploy/nginx.conf and sends the file at
the application's word. Where nginx reads the rules in its own way (a range of a HEAD, a number longer than its own, an
empty element, 416 where 14.2 lets one ignore or reject, 412 without the headers that guard a page) the application
answers by itself, so that there is one right answer for both.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from recordings import storage
from tests import nginx
from tests.bookings.making import Made
from tests.conftest import Clock
from tests.recordings.serving import Answer, ask, by_nginx, served
from tests.recordings.showing import BYTES, a_film, a_recorded_workshop, address, booked, published

ALL, NONE = (0, 10239), None
PAST, OLD, FUTURE = "Sat, 01 Jan 2000 00:00:00 GMT", "Tue, 02 Mar 2027 09:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
LONG = "9" * 30


@dataclass(frozen=True)
class Case:
    """`pieces` are what is sent: one of a 206 or a 200, several, or none."""

    rule: str
    headers: dict[str, str]
    status: int
    pieces: tuple[tuple[int, int], ...] = ()
    method: str = "GET"


def r(rule: str, asked: str, status: int, *pieces: tuple[int, int], **more: str) -> Case:
    headers = {"Range": asked} | {name.replace("_", "-"): value for name, value in more.items()}
    return Case(rule, headers, status, pieces)


def c(rule: str, status: int, *pieces: tuple[int, int], **headers: str) -> Case:
    return Case(rule, {name.replace("_", "-"): value for name, value in headers.items()}, status, pieces)


CASES = (
    c("14.2 no Range: all of it", 200, ALL),
    r("14.1.2 the first two bytes, as Safari begins", "bytes=0-1", 206, (0, 1)),
    r("14.1.2 all by its positions is still a part", "bytes=0-10239", 206, ALL),
    r("14.1.2 no last position: to the end", "bytes=5120-", 206, (5120, 10239)),
    r("14.1.2 from the first byte on", "bytes=0-", 206, ALL),
    r("14.1.2 a last position past the end is the end", "bytes=10000-99999", 206, (10000, 10239)),
    r("14.1.2 one byte, the last", "bytes=10239-10239", 206, (10239, 10239)),
    r("14.1.2 a suffix", "bytes=-500", 206, (9740, 10239)),
    r("14.1.2 a suffix longer than the file is all of it", "bytes=-99999", 206, ALL),
    r("14.1.2 a suffix of nothing cannot be satisfied", "bytes=-0", 416),
    r("14.1.2 a first position at the end cannot be satisfied", "bytes=10240-", 416),
    r("14.1.2 nor one past it", "bytes=99999-100000", 416),
    r("14.1.2 numbers longer than any file: the end", f"bytes=0-{LONG}", 206, ALL),
    r("14.1.2 numbers longer than any file: a suffix", f"bytes=-{LONG}", 206, ALL),
    r("14.1.2 numbers longer than any file: past the end", f"bytes={LONG}-", 416),
    r("14.1 the unit's name knows no case", "BYTES=0-1", 206, (0, 1)),
    r("14.1 an unknown unit is ignored", "items=0-1", 200, ALL),
    r("14.2 no valid set is ignored: letters", "bytes=a-b", 200, ALL),
    r("14.2 no valid set is ignored: backwards", "bytes=5-4", 200, ALL),
    r("14.2 no valid set is ignored: no number", "bytes=-", 200, ALL),
    r("14.2 no valid set is ignored: no range", "bytes=", 200, ALL),
    r("14.2 no valid set is ignored: no equals sign", "bytes", 200, ALL),
    r("14.2 no valid set is ignored: a sign", "bytes=+0-1", 200, ALL),
    r("14.2 no valid set is ignored: another separator", "bytes=0-1;4-5", 200, ALL),
    r("14.2 one bad range spoils the set", "bytes=0-1,x-y", 200, ALL),
    r("14.6 several ranges, several parts", "bytes=0-1,4-5,-2", 206, (0, 1), (4, 5), (10238, 10239)),
    r("14.6 in the order asked for", "bytes=9000-9001,0-1", 206, (9000, 9001), (0, 1)),
    r("15.3.7.2 what cannot be satisfied is left out, and one left is no multipart", "bytes=0-1,20000-", 206, (0, 1)),
    r("14.2 none of several can be satisfied", "bytes=20000-,-0", 416),
    r("14.2 many overlapping ranges: all of it is the smaller answer", "bytes=0-6000,1-6000", 200, ALL),
    r("14.2 more ranges than anybody needs", "bytes=" + ",".join(["0-0"] * 300), 200, ALL),
    r("5.6.1.2 empty elements of a list are skipped", "bytes=0-1,,4-5,", 206, (0, 1), (4, 5)),
    r("5.6.3 white space around the commas", "bytes=0-1 , 4-5", 206, (0, 1), (4, 5)),
    Case("14.2 a range counts for GET alone", {"Range": "bytes=0-1"}, 200, (ALL,), "HEAD"),
    Case("14.2 so none of a HEAD is unsatisfiable", {"Range": "bytes=10240-"}, 200, (ALL,), "HEAD"),
    c("13.1.1 If-Match with the tag", 200, ALL, If_Match="{tag}"),
    r("13.1.1 and a range", "bytes=2-4", 206, (2, 4), If_Match='"other", {tag}'),
    r("13.1.1 If-Match with any", "bytes=2-4", 206, (2, 4), If_Match="*"),
    r("13.1.1 If-Match with another: not done", "bytes=2-4", 412, If_Match='"other"'),
    c("13.1.1 a weak tag is no match (strong comparison)", 412, If_Match="W/{tag}"),
    c("13.1.2 If-None-Match with the tag: known", 304, If_None_Match="{tag}"),
    r("13.1.2 the condition comes before the range", "bytes=2-4", 304, If_None_Match='"other", {tag}'),
    r("13.1.2 a weak tag is a match (weak comparison)", "bytes=2-4", 304, If_None_Match="W/{tag}"),
    r("13.1.2 even before one that cannot be satisfied", "bytes=10240-", 304, If_None_Match="{tag}"),
    c("13.1.2 If-None-Match with any", 304, If_None_Match="*"),
    r("13.1.2 another tag: the range", "bytes=2-4", 206, (2, 4), If_None_Match='"other"'),
    Case("13.1.2 HEAD as GET", {"If-None-Match": "{tag}"}, 304, method="HEAD"),
    c("13.1.3 If-Modified-Since without a date of ours is ignored", 200, ALL, If_Modified_Since=FUTURE),
    r("13.1.3 and with a range", "bytes=2-4", 206, (2, 4), If_Modified_Since=FUTURE),
    r("13.1.4 If-Unmodified-Since likewise", "bytes=2-4", 206, (2, 4), If_Unmodified_Since=PAST),
    r("13.1.4 and beside If-Match", "bytes=2-4", 206, (2, 4), If_Match="{tag}", If_Unmodified_Since=FUTURE),
    r("13.1.5 If-Range with the tag: the range", "bytes=2-4", 206, (2, 4), If_Range="{tag}"),
    r("13.1.5 with another: all of it", "bytes=2-4", 200, ALL, If_Range='"other"'),
    r("13.1.5 with a weak tag: all of it", "bytes=2-4", 200, ALL, If_Range="W/{tag}"),
    r("13.1.5 with a date, which is not how we tell versions apart", "bytes=2-4", 200, ALL, If_Range=OLD),
    r("13.1.5 with another, whatever the range", "bytes=10240-", 200, ALL, If_Range='"other"'),
    r("13.1.5 with the tag, one that cannot be satisfied", "bytes=10240-", 416, If_Range="{tag}"),
    c("13.1.5 without a Range it says nothing", 200, ALL, If_Range='"other"'),
    r("13.2.2 If-Match first, then If-Range", "bytes=2-4", 412, If_Match='"other"', If_Range="{tag}"),
    r("13.2.2 If-None-Match, then If-Range", "bytes=2-4", 304, If_None_Match="{tag}", If_Range='"other"'),
    r("13.2.2 all hold", "bytes=2-4", 206, (2, 4), If_Match="{tag}", If_None_Match='"x"', If_Range="{tag}"),
)


@dataclass(frozen=True)
class Place:
    """A film that can be asked for."""

    port: int
    path: str


@pytest.fixture(params=["application", "nginx"])
def place(request: pytest.FixtureRequest, app: Flask, clock: Clock, tmp_path: Path) -> Iterator[Place]:
    slug = a_recorded_workshop(app)
    made = booked(app, slug)
    with served(app) as port:
        if request.param == "nginx":
            with by_nginx(app), nginx.running(tmp_path / "nginx", port, storage.folder()) as front:
                yield Place(front.port, film_of(app, slug, made))
        else:
            yield Place(port, film_of(app, slug, made))


def film_of(app: Flask, slug: str, made: Made) -> str:
    kept = a_film(app, slug)
    published(app, kept)
    return f"{address(app, made, kept)}/media"


def test_the_table(place: Place) -> None:
    tag = ask(place.port, place.path, method="HEAD").headers["ETag"]
    assert re.fullmatch(r'"[^"]+"', tag)
    wrong = []
    for case in CASES:
        headers = {name: value.replace("{tag}", tag) for name, value in case.headers.items()}
        answer = ask(place.port, place.path, headers, case.method)
        wrong += [f"{case.rule}: {fault}" for fault in faults(case, answer, tag)]
    assert not wrong, "\n".join(wrong)


def faults(case: Case, answer: Answer, tag: str) -> Iterator[str]:
    told = answer.headers
    if answer.status != case.status:
        yield f"{answer.status} and not {case.status}"
        return
    if told["Cache-Control"] != "private, no-store" or told["Referrer-Policy"] != "no-referrer":
        yield "it may be kept, or its address passed on (15.3.7, 15.4.5)"
    if any(name.lower() == "x-accel-redirect" for name in told) or re.search(r"[0-9a-f]{32}", str(told.get("ETag"))):
        yield "it tells where the file is"
    if case.status in (200, 206, 304) and told["ETag"] != tag:
        yield f"its tag is {told['ETag']} (8.8.3, 15.3.7, 15.4.5)"
    if case.status in (200, 206) and set(told.get_all("Accept-Ranges", [])) != {"bytes"}:
        yield "it does not say that ranges are served (14.3)"
    if case.status == 416 and told["Content-Range"] != "bytes */10240":
        yield f"Content-Range is {told['Content-Range']} (14.4, 15.5.17)"
    if case.status in (200, 304, 412) and told["Content-Range"] is not None:
        yield "a Content-Range says nothing here (14.4)"
    if case.status in (200, 206):
        yield from (fault for fault in sent(case, answer))


def sent(case: Case, answer: Answer) -> Iterator[str]:
    told, body = answer.headers, answer.body
    if case.method == "HEAD":
        if (body, told["Content-Length"]) != (b"", "10240"):
            yield f"HEAD told {told['Content-Length']} and sent {len(body)} (9.3.2)"
        return
    if told["Content-Length"] != str(len(body)):
        yield f"Content-Length is {told['Content-Length']} of {len(body)} (8.6)"
    if len(case.pieces) == 1:
        first, last = case.pieces[0]
        if body != BYTES[first : last + 1]:
            yield f"{len(body)} other bytes"
        if case.status == 206 and told["Content-Range"] != f"bytes {first}-{last}/10240":
            yield f"Content-Range is {told['Content-Range']} (14.4)"
        if told["Content-Type"] != "video/mp4":
            yield f"Content-Type is {told['Content-Type']}"
        return
    kind, _, boundary = told["Content-Type"].partition("; boundary=")
    if kind != "multipart/byteranges" or told["Content-Range"] is not None:
        yield f"{told['Content-Type']}, {told['Content-Range']} (14.6, 15.3.7.2)"
        return
    wanted = b"".join(
        f"\r\n--{boundary}\r\nContent-Type: video/mp4\r\nContent-Range: bytes {first}-{last}/10240\r\n\r\n".encode()
        + BYTES[first : last + 1]
        for first, last in case.pieces
    )
    if body != wanted + f"\r\n--{boundary}--\r\n".encode():
        yield "the parts are not those asked for (14.6)"


def test_a_part_cannot_be_put(place: Place) -> None:
    """14.5: a PUT with a Content-Range must not be taken for one of the whole; here nothing is ever PUT."""
    answer = ask(place.port, place.path, {"Content-Range": "bytes 0-1/10240"}, "PUT")

    assert answer.status == 405
    assert ask(place.port, place.path).body == BYTES
