"""Checkout sessions: opened under Stripe's rules, expired on request or by their time."""

from typing import Any

from demo.stripe import currencies, shapes
from demo.stripe.account import Account
from demo.stripe.errors import Refused, missing
from lib import clock

SHORTEST_SECONDS = 30 * 60
LONGEST_SECONDS = 24 * 60 * 60


def create(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Open a session."""
    if asked["mode"] != "payment":
        raise Refused(400, "The stand-in takes only `payment` as mode.", param="mode")
    if asked.get("ui_mode", "hosted_page") != "hosted_page":
        raise Refused(400, "The stand-in has only the hosted page.", param="ui_mode")
    created = shapes.now()
    asked = asked | {"expires_at": _expires_at(asked, created)}
    items = _items(asked["line_items"])
    currencies.check_total(sum(item["amount_total"] for item in items), items[0]["currency"])
    session = shapes.session(asked, items=items, created=created, address=account.address)
    if not session["payment_method_types"]:
        raise Refused(400, "No payment method types are left to offer.", param="excluded_payment_method_types")
    account.store.put("session", session)
    account.store.put("open", {"id": session["id"]})
    return session


def find(account: Account, key: str, param: str = "session") -> dict[str, Any]:
    """A session as it is now: one past its time has expired."""
    session = account.store.get("session", key)
    if session is None:
        raise missing("checkout.session", key, param)
    if session["status"] == "open" and session["expires_at"] <= clock.now().timestamp():
        _end(account, session)
    return session


def expire(account: Account, key: str) -> dict[str, Any]:
    """Expire an open session at the application's request."""
    session = find(account, key)
    if session["status"] != "open":
        raise Refused(
            400,
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{session['status']}`.",
        )
    _end(account, session)
    return session


def sweep(account: Account) -> None:
    """Expire every open session whose time has come."""
    with account.store.changing():
        for key in list(account.store.table("open")):
            find(account, key)


def complete(account: Account, session: dict[str, Any], payment_status: str) -> None:
    """Close a session with success; the caller emits its event."""
    session.update(status="complete", payment_status=payment_status, url=None)
    email = session["customer_email"] or "buyer@example.com"
    session["customer_details"] = shapes.customer_details(email) | {
        "address": {
            "city": None,
            "country": "GB",
            "line1": None,
            "line2": None,
            "postal_code": "SW1A 1AA",
            "state": None,
        },
        "name": "Test Buyer",
    }
    if session["customer_creation"] == "always":
        session["customer"] = shapes.new_id("cus", 7)
    account.store.put("session", session)
    account.store.remove("open", session["id"])


def _end(account: Account, session: dict[str, Any]) -> None:
    session.update(status="expired", url=None)
    session.pop("_asking", None)
    account.store.put("session", session)
    account.store.remove("open", session["id"])
    if session["payment_intent"]:
        intent = account.store.table("payment_intent")[session["payment_intent"]]
        intent.update(status="canceled", canceled_at=shapes.now(), cancellation_reason="automatic", next_action=None)
        account.store.put("payment_intent", intent)
        account.outbox.emit("payment_intent.canceled", intent)
    account.outbox.emit("checkout.session.expired", session)


def _expires_at(asked: dict[str, Any], created: int) -> int:
    if "expires_at" not in asked:
        return created + LONGEST_SECONDS
    at = int(asked["expires_at"])
    received = clock.now().timestamp()
    if at < received + SHORTEST_SECONDS:
        raise Refused(
            400,
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            param="expires_at",
        )
    if at > received + LONGEST_SECONDS:
        raise Refused(
            400,
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return at


def _items(asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not asked:
        raise Refused(400, "Missing required param: line_items.", code="parameter_missing", param="line_items")
    items = [
        shapes.line_item(
            line, currencies.known(line["price_data"]["currency"], f"line_items[{n}][price_data][currency]")
        )
        for n, line in enumerate(asked)
    ]
    if len({item["currency"] for item in items}) > 1:
        raise Refused(
            400,
            "The `line_items` parameter has prices of more than one currency; "
            "all line items of a Checkout Session must have the same currency.",
            param="line_items",
        )
    return items
