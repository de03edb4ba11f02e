"""What happens when somebody pays: cards, the 3-D Secure step, and bank debits that end days later."""

from dataclasses import dataclass
from typing import Any

from demo.stripe import cards, sessions, shapes
from demo.stripe.account import Account
from demo.stripe.cards import BankAccount, Card, Refusal
from demo.stripe.errors import Refused

NOT_A_TEST_NUMBER = "Your card number is not one of the test numbers below. Nothing was charged."
NOT_AUTHENTICATED = Refusal(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)


@dataclass(frozen=True)
class Outcome:
    """How an attempt went: paid (or under way), asked to authenticate, or refused for a reason."""

    state: str
    reason: str = ""


def pay(account: Account, session: dict[str, Any], number: str) -> Outcome:
    """Try to pay an open session with a number typed into the page."""
    if not session["amount_total"]:
        sessions.complete(account, session, "no_payment_required")
        account.outbox.emit("checkout.session.completed", session)
        return Outcome("paid")
    means = cards.means(number)
    if means is None:
        return Outcome("refused", NOT_A_TEST_NUMBER)
    if method_of(means, session) not in session["payment_method_types"]:
        return Outcome("refused", "This way to pay is not offered here. Nothing was charged.")
    intent = _intent(account, session)
    intent["payment_method"] = shapes.new_id("pm")
    if isinstance(means, BankAccount):
        return _debit(account, session, intent, means)
    if means.asks:
        intent.update(
            status="requires_action",
            next_action={"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": None}},
        )
        session["_asking"] = means.number
        account.store.put("payment_intent", intent)
        account.store.put("session", session)
        account.outbox.emit("payment_intent.requires_action", intent)
        return Outcome("asks")
    return _charge(account, session, intent, means)


def authenticate(account: Account, session: dict[str, Any], *, succeeds: bool) -> Outcome:
    """Finish the 3-D Secure step of an open session."""
    means = cards.means(session.pop("_asking", ""))
    if not isinstance(means, Card):
        return Outcome("refused", "There is nothing to confirm: enter a number first.")
    intent = account.store.table("payment_intent")[session["payment_intent"]]
    intent["next_action"] = None
    if not succeeds:
        return _refuse(account, session, intent, NOT_AUTHENTICATED)
    return _charge(account, session, intent, means)


def settle_bank(account: Account, session: dict[str, Any], *, succeeds: bool | None) -> None:
    """End a bank debit that is under way; None ends it as the number typed says."""
    intent = account.store.get("payment_intent", session["payment_intent"] or "")
    if intent is None or intent["status"] != "processing":
        raise Refused(400, "No bank debit is under way for this session.", param="session")
    charge = account.store.table("charge")[intent["latest_charge"]]
    means = cards.means(charge["_number"])
    if succeeds if succeeds is not None else isinstance(means, BankAccount) and means.pays:
        charge.update(
            status="succeeded",
            paid=True,
            amount_captured=charge["amount"],
            balance_transaction=shapes.new_id("txn"),
            receipt_url=f"{account.address}/receipts/{charge['id']}",
        )
        intent.update(status="succeeded", amount_received=intent["amount"], processing=None)
        session["payment_status"] = "paid"
        kinds = ("charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded")
    else:
        message = "The payment failed: the bank account holds insufficient funds."
        charge.update(status="failed", captured=False, failure_code="insufficient_funds", failure_message=message)
        intent.update(
            status="requires_payment_method",
            processing=None,
            last_payment_error=_error(Refusal("payment_intent_payment_attempt_failed", None, message), charge),
        )
        kinds = ("charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed")
    account.store.put("charge", charge)
    account.store.put("payment_intent", intent)
    account.store.put("session", session)
    for kind, thing in zip(kinds, (charge, intent, session), strict=True):
        account.outbox.emit(kind, thing)


def method_of(means: Card | BankAccount, session: dict[str, Any]) -> str:
    """The payment method type that a number belongs to in this session's currency."""
    return "card" if isinstance(means, Card) else shapes.bank_method(session["currency"])


def _intent(account: Account, session: dict[str, Any]) -> dict[str, Any]:
    if session["payment_intent"]:
        return account.store.table("payment_intent")[session["payment_intent"]]
    intent = shapes.payment_intent(session)
    session["payment_intent"] = intent["id"]
    account.store.put("payment_intent", intent)
    account.store.put("session", session)
    account.outbox.emit("payment_intent.created", intent)
    return intent


def _charge(account: Account, session: dict[str, Any], intent: dict[str, Any], means: Card) -> Outcome:
    if means.refusal:
        charge = shapes.charge(intent, means, status="failed", address=account.address)
        charge.update(failure_code=means.refusal.code, failure_message=means.refusal.message)
        account.store.put("charge", charge)
        intent["latest_charge"] = charge["id"]
        account.outbox.emit("charge.failed", charge)
        return _refuse(account, session, intent, means.refusal, charge)
    charge = shapes.charge(intent, means, status="succeeded", address=account.address)
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        last_payment_error=None,
        next_action=None,
    )
    account.store.put("charge", charge)
    account.store.put("payment_intent", intent)
    sessions.complete(account, session, "paid")
    account.outbox.emit("charge.succeeded", charge)
    account.outbox.emit("payment_intent.succeeded", intent)
    account.outbox.emit("checkout.session.completed", session)
    return Outcome("paid")


def _debit(account: Account, session: dict[str, Any], intent: dict[str, Any], means: BankAccount) -> Outcome:
    charge = shapes.charge(intent, means, status="pending", address=account.address)
    intent.update(status="processing", latest_charge=charge["id"], last_payment_error=None)
    account.store.put("charge", charge)
    account.store.put("payment_intent", intent)
    sessions.complete(account, session, "unpaid")
    account.outbox.emit("charge.pending", charge)
    account.outbox.emit("payment_intent.processing", intent)
    account.outbox.emit("checkout.session.completed", session)
    return Outcome("paid")


def _refuse(
    account: Account,
    session: dict[str, Any],
    intent: dict[str, Any],
    refusal: Refusal,
    charge: dict[str, Any] | None = None,
) -> Outcome:
    intent.update(status="requires_payment_method", payment_method=None, last_payment_error=_error(refusal, charge))
    account.store.put("payment_intent", intent)
    account.store.put("session", session)
    account.outbox.emit("payment_intent.payment_failed", intent)
    return Outcome("refused", refusal.message)


def _error(refusal: Refusal, charge: dict[str, Any] | None) -> dict[str, Any]:
    error = {"type": "card_error", "code": refusal.code, "message": refusal.message}
    if refusal.decline_code:
        error["decline_code"] = refusal.decline_code
    if charge:
        error["charge"] = charge["id"]
    return error
