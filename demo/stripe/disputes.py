"""A payer's bank takes the money back, and how that ends."""

from typing import Any

from demo.stripe import shapes
from demo.stripe.account import Account
from demo.stripe.errors import Refused, missing


def open_one(account: Account, intent_id: str, reason: str) -> dict[str, Any]:
    """Dispute the charge of an intent."""
    intent = account.store.get("payment_intent", intent_id)
    if intent is None or intent["status"] != "succeeded":
        raise missing("payment_intent", intent_id, "payment_intent")
    charge = account.store.table("charge")[intent["latest_charge"]]
    if charge["disputed"]:
        raise Refused(400, f"Charge {charge['id']} is disputed already.")
    dispute = {
        "id": shapes.new_id("du"),
        "object": "dispute",
        "amount": charge["amount"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": shapes.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {"due_by": shapes.now() + 7 * 86400, "has_evidence": False, "past_due": False},
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": intent_id,
        "reason": reason,
        "status": "needs_response",
    }
    charge["disputed"] = True
    account.store.put("charge", charge)
    account.store.put("dispute", dispute)
    account.outbox.emit("charge.dispute.created", dispute)
    return dispute


def close(account: Account, key: str, status: str) -> dict[str, Any]:
    """End a dispute: `won` or `lost`."""
    dispute = account.store.get("dispute", key)
    if dispute is None:
        raise missing("dispute", key, "dispute")
    if status not in ("won", "lost"):
        raise Refused(400, "A dispute is won or lost.", param="status")
    dispute["status"] = status
    account.store.put("dispute", dispute)
    account.outbox.emit("charge.dispute.closed", dispute)
    return dispute
