"""A payer's bank takes the money back, and how that ends."""

from typing import Any

from demo.stripe import shapes
from demo.stripe.account import Account
from demo.stripe.errors import Refused, missing

WON_OR_OVER = ("won", "warning_closed")


def open_one(account: Account, intent_id: str, reason: str, *, asks_only: bool = False) -> dict[str, Any]:
    """Dispute the charge of an intent: take the money, or with `asks_only` begin with an inquiry that takes none."""
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
        "is_charge_refundable": asks_only,
        "livemode": False,
        "metadata": {},
        "payment_intent": intent_id,
        "reason": reason,
        "status": "warning_needs_response" if asks_only else "needs_response",
    }
    charge["disputed"] = True
    account.store.put("charge", charge)
    account.store.put("dispute", dispute)
    account.outbox.emit("charge.dispute.created", dispute)
    if not asks_only:
        _move(account, dispute, -dispute["amount"], "charge.dispute.funds_withdrawn")
    return dispute


def escalate(account: Account, key: str) -> dict[str, Any]:
    """Let an inquiry become a dispute, which takes the money."""
    dispute = _find(account, key)
    if dispute["status"] != "warning_needs_response":
        raise Refused(400, "Only an inquiry becomes a dispute.")
    dispute.update(status="needs_response", is_charge_refundable=False)
    account.outbox.emit("charge.dispute.updated", dispute)
    _move(account, dispute, -dispute["amount"], "charge.dispute.funds_withdrawn")
    return dispute


def close(account: Account, key: str, status: str) -> dict[str, Any]:
    """End a dispute: `won` or `lost`; an inquiry: `warning_closed`."""
    dispute = _find(account, key)
    if dispute["status"] in ("won", "lost", "warning_closed"):
        raise Refused(400, "This dispute is over.")
    is_inquiry = dispute["status"].startswith("warning_")
    if status not in (("warning_closed",) if is_inquiry else ("won", "lost")):
        raise Refused(400, "A dispute is won or lost, an inquiry is warning_closed.", param="status")
    dispute.update(status=status, is_charge_refundable=status in WON_OR_OVER)
    account.store.put("dispute", dispute)
    account.outbox.emit("charge.dispute.closed", dispute)
    if status == "won":
        _move(account, dispute, dispute["amount"], "charge.dispute.funds_reinstated")
    return dispute


def holds(account: Account, charge_id: str) -> bool:
    """Whether a charge cannot be refunded because of a dispute."""
    return any(
        each["charge"] == charge_id and not each["is_charge_refundable"]
        for each in account.store.table("dispute").values()
    )


def _move(account: Account, dispute: dict[str, Any], minor: int, event: str) -> None:
    dispute["balance_transactions"].append(shapes.balance_transaction(dispute, minor))
    account.store.put("dispute", dispute)
    account.outbox.emit(event, dispute)


def _find(account: Account, key: str) -> dict[str, Any]:
    dispute = account.store.get("dispute", key)
    if dispute is None:
        raise missing("dispute", key, "dispute")
    return dispute
