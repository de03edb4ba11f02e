"""Money that goes back: by the application or from the dashboard, at once, later, or not after all."""

import time
from typing import Any

from demo.stripe import cards, currencies, disputes, shapes
from demo.stripe.account import Account
from demo.stripe.cards import Card
from demo.stripe.errors import Refused, missing

LATER_SECONDS = 2


def create(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Refund a charge, in full or in part."""
    charge = _charge(account, asked)
    rest = charge["amount"] - charge["amount_refunded"]
    if disputes.holds(account, charge["id"]):
        raise Refused(
            400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    if not rest:
        raise Refused(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = asked.get("amount", rest)
    if amount > rest:
        of = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
        raise Refused(
            400,
            f"Refund amount ({currencies.written(amount, charge['currency'])}) is greater than {of} "
            f"({currencies.written(rest, charge['currency'])})",
            param="amount",
        )
    card = cards.means(charge["_number"])
    starts = card.refund_starts if isinstance(card, Card) else "succeeded"
    ends = card.refund_ends if isinstance(card, Card) else "succeeded"
    refund = shapes.refund(charge, asked, amount=amount, status=starts)
    if starts != ends:
        refund["_ends"] = ends
        account.store.put("unsettled", {"id": refund["id"], "at": time.time() + LATER_SECONDS})
    account.store.put("refund", refund)
    _add(account, charge, amount)
    account.outbox.emit("refund.created", refund)
    account.outbox.emit("charge.refunded", charge)
    return refund


def from_dashboard(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Refund as a person does on Stripe's own pages; the application hears of it only by events."""
    refund = create(account, asked)
    account.outbox.emit("refund.updated", refund)
    return refund


def settle(account: Account, refund: dict[str, Any], status: str) -> None:
    """Let a refund end: `succeeded` or `failed`."""
    account.store.remove("unsettled", refund["id"])
    if refund["status"] == status or refund["status"] == "failed":
        return
    refund.update(status=status, pending_reason=None)
    if status == "failed":
        refund["failure_reason"] = "expired_or_canceled_card"
        charge = account.store.table("charge")[refund["charge"]]
        _add(account, charge, -refund["amount"])
    account.store.put("refund", refund)
    if status == "failed":
        account.outbox.emit("refund.failed", refund)
    account.outbox.emit("refund.updated", refund)
    account.outbox.emit("charge.refund.updated", refund)


def sweep(account: Account) -> None:
    """End every refund whose bank has had its time, unless a test does that itself."""
    with account.store.changing():
        if account.store.get("setting", "settle_by_hand"):
            return
        settle_waiting(account, time.time())


def settle_waiting(account: Account, until: float) -> None:
    """End, as the card says, every refund that waits for no later moment than this."""
    with account.store.changing():
        for waiting in list(account.store.table("unsettled").values()):
            if waiting["at"] <= until:
                refund = account.store.table("refund")[waiting["id"]]
                settle(account, refund, refund["_ends"])


def _add(account: Account, charge: dict[str, Any], minor: int) -> None:
    charge["amount_refunded"] += minor
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    account.store.put("charge", charge)


def _charge(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    if ("charge" in asked) == ("payment_intent" in asked):
        raise Refused(400, "One of the following params should be provided for this request: payment_intent or charge.")
    if "charge" in asked:
        key = asked["charge"]
    else:
        intent = account.store.get("payment_intent", asked["payment_intent"])
        if intent is None:
            raise missing("payment_intent", asked["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise Refused(
                400,
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        key = intent["latest_charge"]
    charge = account.store.get("charge", key)
    if charge is None:
        raise missing("charge", key, "charge")
    if charge["status"] != "succeeded":
        raise Refused(400, f"The charge {key} has not succeeded, so it cannot be refunded.", param="charge")
    return charge
