"""The stand-in's pay page: cards, the 3-D Secure step, bank debits, leaving."""

import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest
import stripe

from demo.stripe.process import Reply, StandIn
from tests.demo.conftest import wanted

DECLINED = "4000 0000 0000 0002"
INSUFFICIENT = "4000000000009995"
ASKS = "4000002500003155"
ASKS_THEN_DECLINES = "4000008400001629"


@pytest.fixture
def session(client: stripe.StripeClient) -> stripe.checkout.Session:
    return client.v1.checkout.sessions.create(wanted())


class Tags(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def kinds(stand_in: StandIn) -> list[str]:
    return [event["type"] for event in stand_in.events()]


def intent_of(client: stripe.StripeClient, session_id: str) -> stripe.PaymentIntent:
    found = client.v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent.latest_charge"]})
    assert isinstance(found.payment_intent, stripe.PaymentIntent)
    return found.payment_intent


def test_the_page_has_one_form_and_keeps_the_contract(stand_in: StandIn, session: stripe.checkout.Session) -> None:
    page = stand_in.http("GET", f"/pay/{session.id}")
    tags = Tags(page.text)
    assert page.status == 200
    assert [f["method"] for f in tags.named("form")] == ["post"]
    assert [i["name"] for i in tags.named("input")] == ["number"]
    assert [(b["name"], b["value"]) for b in tags.named("button")] == [("pay", "1"), ("leave", "1")]
    assert [label["for"] for label in tags.named("label")] == [tags.named("input")[0]["id"]]
    assert len(tags.named("h1")) == 1
    assert "TEST - no money moves" in page.text
    assert "GBP 95.00" in page.text
    assert "4242 4242 4242 4242" in page.text
    assert not tags.named("script")
    assert not tags.named("style")
    assert "set-cookie" not in page.headers
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    assert stand_in.http("GET", "/style.css").headers["content-type"].startswith("text/css")


def test_what_the_application_sends_is_escaped(client: stripe.StripeClient, stand_in: StandIn) -> None:
    line = wanted()["line_items"][0]
    line["price_data"]["product_data"]["name"] = "<script>alert(1)</script>"
    session = client.v1.checkout.sessions.create(wanted(line_items=[line]))
    assert "<script" not in stand_in.http("GET", f"/pay/{session.id}").text


def test_a_good_card_pays(client: stripe.StripeClient, stand_in: StandIn, session: stripe.checkout.Session) -> None:
    assert session.url is not None
    reply = stand_in.pay(session.url, "4242 4242 4242 4242")
    assert (reply.status, reply.location) == (303, f"http://localhost:9/paid?session={session.id}")
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    intent = intent_of(client, session.id)
    assert (intent.status, intent.amount_received, intent.metadata["booking"]) == ("succeeded", 9500, "CQ-7")
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.paid, charge.amount, charge.amount_refunded, charge.refunded) == (True, 9500, 0, False)
    assert charge.receipt_url is not None
    assert stand_in.http("GET", charge.receipt_url.removeprefix(stand_in.url)).status == 200
    assert kinds(stand_in) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    assert [c.id for c in client.v1.charges.list({"payment_intent": intent.id}).data] == [charge.id]
    assert [i.id for i in client.v1.payment_intents.list().data] == [intent.id]


def test_a_paid_session_is_not_paid_twice(stand_in: StandIn, session: stripe.checkout.Session) -> None:
    stand_in.pay(session.id)
    again = stand_in.pay(session.id)
    assert (again.status, again.location) == (410, "")
    assert f"http://localhost:9/paid?session={session.id}" in again.text
    assert kinds(stand_in).count("charge.succeeded") == 1


def test_many_at_once_pay_one_session_once(stand_in: StandIn, session: stripe.checkout.Session) -> None:
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: stand_in.pay(session.id), range(16)))
    assert sorted(r.status for r in replies) == [303] + [410] * 15


@pytest.mark.parametrize(
    ("number", "reason", "code", "decline_code"),
    [
        (DECLINED, "Your card was declined.", "card_declined", "generic_decline"),
        (INSUFFICIENT, "Your card has insufficient funds.", "card_declined", "insufficient_funds"),
    ],
)
def test_a_refused_card_leaves_the_session_open_for_a_good_one(
    client: stripe.StripeClient,
    stand_in: StandIn,
    session: stripe.checkout.Session,
    number: str,
    reason: str,
    code: str,
    decline_code: str,
) -> None:
    reply = stand_in.pay(session.id, number)
    assert reply.status == 402
    assert reason in reply.text
    intent = intent_of(client, session.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert (intent.last_payment_error.code, intent.last_payment_error.decline_code) == (code, decline_code)
    assert kinds(stand_in)[-1] == "payment_intent.payment_failed"
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert stand_in.pay(session.id).status == 303
    paid = intent_of(client, session.id)
    assert (paid.id, paid.status, paid.last_payment_error) == (intent.id, "succeeded", None)


def test_a_number_that_means_nothing_makes_no_attempt(
    client: stripe.StripeClient, stand_in: StandIn, session: stripe.checkout.Session
) -> None:
    reply = stand_in.pay(session.id, "1234")
    assert reply.status == 402
    assert "not one of the test numbers" in reply.text
    assert client.v1.checkout.sessions.retrieve(session.id).payment_intent is None


def test_an_expired_session_takes_its_intent_with_it(
    client: stripe.StripeClient, stand_in: StandIn, session: stripe.checkout.Session
) -> None:
    stand_in.pay(session.id, DECLINED)
    client.v1.checkout.sessions.expire(session.id)
    assert intent_of(client, session.id).status == "canceled"
    page = stand_in.http("GET", f"/pay/{session.id}")
    assert page.status == 410
    assert "http://localhost:9/left" in page.text


def challenge(stand_in: StandIn, session: stripe.checkout.Session, number: str) -> Reply:
    reply = stand_in.pay(session.id, number)
    assert (reply.status, reply.location) == (303, f"/pay/{session.id}/authenticate")
    page = stand_in.http("GET", reply.location)
    assert [b["name"] for b in Tags(page.text).named("button")] == ["complete", "fail"]
    return page


def test_a_card_that_asks_pays_when_confirmed(
    client: stripe.StripeClient, stand_in: StandIn, session: stripe.checkout.Session
) -> None:
    challenge(stand_in, session, ASKS)
    assert intent_of(client, session.id).status == "requires_action"
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    reply = stand_in.authenticate(session.id)
    assert (reply.status, reply.location) == (303, f"http://localhost:9/paid?session={session.id}")
    assert intent_of(client, session.id).status == "succeeded"


def test_a_card_that_asks_and_is_not_confirmed_can_be_followed_by_another(
    client: stripe.StripeClient, stand_in: StandIn, session: stripe.checkout.Session
) -> None:
    challenge(stand_in, session, ASKS)
    reply = stand_in.authenticate(session.id, succeeds=False)
    assert reply.status == 402
    assert "unable to authenticate" in reply.text
    assert stand_in.authenticate(session.id).location == f"/pay/{session.id}"
    challenge(stand_in, session, ASKS_THEN_DECLINES)
    assert stand_in.authenticate(session.id).status == 402
    assert stand_in.pay(session.id).status == 303
    assert kinds(stand_in).count("payment_intent.payment_failed") == 2


@pytest.mark.parametrize("number", ["pay_later", "GB82WEST12345698765432"])
def test_a_bank_debit_ends_well_later(
    client: stripe.StripeClient, stand_in: StandIn, session: stripe.checkout.Session, number: str
) -> None:
    assert stand_in.pay(session.id, number).status == 303
    waiting = client.v1.checkout.sessions.retrieve(session.id)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    assert intent_of(client, session.id).status == "processing"
    assert kinds(stand_in)[-1] == "checkout.session.completed"
    stand_in.bank(session.id)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert intent_of(client, session.id).status == "succeeded"
    assert kinds(stand_in)[-3:] == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ]
    with pytest.raises(RuntimeError, match="No bank debit is under way"):
        stand_in.bank(session.id)


@pytest.mark.parametrize(("number", "outcome"), [("pay_later_fail", None), ("pay_later", "fail")])
def test_a_bank_debit_fails_later(
    client: stripe.StripeClient,
    stand_in: StandIn,
    session: stripe.checkout.Session,
    number: str,
    outcome: str | None,
) -> None:
    stand_in.pay(session.id, number)
    stand_in.bank(session.id, outcome)
    failed = client.v1.checkout.sessions.retrieve(session.id)
    assert (failed.status, failed.payment_status) == ("complete", "unpaid")
    assert kinds(stand_in)[-3:] == [
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]


def test_a_session_for_cards_alone_takes_no_bank_debit(client: stripe.StripeClient, stand_in: StandIn) -> None:
    session = client.v1.checkout.sessions.create(wanted(allowed_payment_method_types=["card"]))
    assert session.payment_method_types == ["card"]
    assert stand_in.pay(session.id, "pay_later").status == 402
    assert stand_in.pay(session.id).status == 303


def test_leaving_pays_nothing_and_the_session_stays_open(
    client: stripe.StripeClient, stand_in: StandIn, session: stripe.checkout.Session
) -> None:
    reply = stand_in.leave(session.id)
    assert (reply.status, reply.location) == (303, "http://localhost:9/left")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    nowhere = client.v1.checkout.sessions.create(wanted(cancel_url=None))
    assert stand_in.leave(nowhere.id).status == 200


def test_tests_can_pay_without_the_page(stand_in: StandIn, session: stripe.checkout.Session) -> None:
    with pytest.raises(RuntimeError, match="402"):
        stand_in.complete(session.id, DECLINED)
    assert stand_in.complete(session.id, ASKS) == {
        "status": "complete",
        "payment_status": "paid",
        "redirect": f"http://localhost:9/paid?session={session.id}",
    }


def test_other_addresses_are_404(stand_in: StandIn) -> None:
    for path in ("/pay/cs_test_none", "/elsewhere", "/receipts/ch_none"):
        assert stand_in.http("GET", path).status == 404
    assert stand_in.http("GET", "/").status == 200
