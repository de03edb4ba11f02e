"""Buyers: each fetches the booking form as a browser does, fills it in and sends it. Plain sockets, loopback only."""

import http.client
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlencode

_HIDDEN = re.compile(r'name="(csrf_token|once)" value="([^"]*)"')
_TICKET = re.compile(r'name="ticket_type"[^>]*?value="([^"]+)"|value="([^"]+)"[^>]*?name="ticket_type"')


@dataclass(frozen=True)
class Outcome:
    """What a buyer was told. Seconds from sending the form to its answer, and for both steps together."""

    status: int
    form_status: int
    wait: float
    whole: float
    location: str = ""
    body: str = ""


@dataclass(frozen=True)
class Form:
    """The booking form as somebody got it."""

    fields: dict[str, str]
    cookie: str
    status: int


def fetch_form(port: int, slug: str) -> Form:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", f"/workshops/{slug}/bookings/new", headers={"Host": f"localhost:{port}"})
        answer = connection.getresponse()
        page = answer.read().decode()
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    fields = dict(_HIDDEN.findall(page))
    if found := _TICKET.search(page):
        fields["ticket_type"] = found[1] or found[2]
    return Form(fields, cookie, answer.status)


def filled(form: Form, number: int, people: int = 1) -> dict[str, str]:
    """Everything typed by buyer `number`, whose addresses nobody else has."""
    typed = {
        **form.fields,
        "currency": "GBP",
        "booker_name": f"Buyer {number}",
        "booker_email": f"buyer-{number}@clinic.example",
        "zone": "Europe/London",
        "agree_terms": "y",
    }
    for n in range(people):
        typed |= {
            f"attendee-{n}-name": f"Attendee {number} {n}",
            f"attendee-{n}-email": f"attendee-{number}-{n}@clinic.example",
        }
    return typed


def send(port: int, slug: str, typed: dict[str, str], cookie: str) -> Outcome:
    began = time.perf_counter()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        headers = {
            "Host": f"localhost:{port}",
            "Cookie": cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"http://localhost:{port}",
        }
        connection.request("POST", f"/workshops/{slug}/bookings", urlencode(typed), headers)
        answer = connection.getresponse()
        body = answer.read().decode()
    wait = time.perf_counter() - began
    return Outcome(answer.status, 200, wait, wait, answer.getheader("Location") or "", body)


def buy(port: int, slug: str, number: int, people: int = 1) -> Outcome:
    """One buyer from the form to the answer. A refused form (all sold) counts as the answer."""
    began = time.perf_counter()
    form = fetch_form(port, slug)
    if form.status != 200:
        whole = time.perf_counter() - began
        return Outcome(form.status, form.status, whole, whole)
    sent = send(port, slug, filled(form, number, people), form.cookie)
    return Outcome(sent.status, 200, sent.wait, time.perf_counter() - began, sent.location, sent.body)


def crowd(calls: Sequence[Callable[[], Outcome]], at_once: int) -> list[Outcome]:
    """Every call, `at_once` of them at any moment."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda call: call(), calls))


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest value that `percent` of all do not exceed."""
    ranked = sorted(values)
    return ranked[max(-(-len(ranked) * percent // 100) - 1, 0)] if ranked else 0.0
