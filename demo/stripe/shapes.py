"""Objects with the fields that Stripe gives them; keys that begin with `_` are the stand-in's own and never leave."""

import hashlib
import secrets
from typing import Any

from demo.stripe.cards import BankAccount, Card
from lib import clock

API_VERSION = "2026-10-28.endive"


def now() -> int:
    """Stripe's time in seconds."""
    return int(clock.now().timestamp())


def new_id(prefix: str, size: int = 12) -> str:
    """A new random id."""
    return f"{prefix}_{secrets.token_hex(size)}"


def session(asked: dict[str, Any], *, items: list[dict[str, Any]], created: int, address: str) -> dict[str, Any]:
    """An open Checkout session for what was asked."""
    key = new_id("cs_test", 28)
    total = sum(item["amount_total"] for item in items)
    email = asked.get("customer_email")
    return {
        "id": key,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": asked.get("adaptive_pricing", {}).get("enabled", False)},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "allowed_payment_method_types": asked.get("allowed_payment_method_types"),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": asked.get("billing_address_collection"),
        "branding_settings": None,
        "cancel_url": asked.get("cancel_url"),
        "client_reference_id": asked.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": asked.get("consent_collection"),
        "created": created,
        "currency": items[0]["currency"],
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            place: asked.get("custom_text", {}).get(place)
            for place in ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        },
        "customer": None,
        "customer_account": None,
        "customer_creation": asked.get("customer_creation", "if_required"),
        "customer_details": customer_details(email) if email else None,
        "customer_email": email,
        "discounts": [],
        "excluded_payment_method_types": asked.get("excluded_payment_method_types"),
        "expires_at": asked["expires_at"],
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": {"enabled": False, "invoice_data": None},
        "livemode": False,
        "locale": asked.get("locale"),
        "managed_payments": None,
        "metadata": asked.get("metadata", {}),
        "mode": asked["mode"],
        "name_collection": None,
        "optional_items": None,
        "origin_context": asked.get("origin_context"),
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": asked.get("payment_method_options", {}),
        "payment_method_types": methods(asked, items[0]["currency"]),
        "payment_status": "unpaid" if total else "no_payment_required",
        "permissions": None,
        "phone_number_collection": asked.get("phone_number_collection", {"enabled": False}),
        "presentment_details": None,
        "recovered_from": None,
        "redirect_on_completion": None,
        "return_url": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": asked.get("submit_type"),
        "subscription": None,
        "success_url": asked["success_url"],
        "tax_id_collection": asked.get("tax_id_collection"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": asked.get("ui_mode", "hosted_page"),
        "url": f"{address}/pay/{key}",
        "wallet_options": None,
        "_items": items,
        "_intent": asked.get("payment_intent_data", {}),
    }


def bank_method(currency: str) -> str:
    """The bank debit that goes with a currency."""
    return {"gbp": "bacs_debit", "usd": "us_bank_account", "aud": "au_becs_debit", "cad": "acss_debit"}.get(
        currency, "sepa_debit"
    )


def methods(asked: dict[str, Any], currency: str) -> list[str]:
    """The ways to pay that a session offers."""
    offered = asked.get("allowed_payment_method_types") or ["card", bank_method(currency)]
    return [method for method in offered if method not in asked.get("excluded_payment_method_types", [])]


def customer_details(email: str) -> dict[str, Any]:
    """What the payer told the pay page."""
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def line_item(asked: dict[str, Any], currency: str) -> dict[str, Any]:
    """One line of a session."""
    price = asked["price_data"]
    product = price["product_data"]
    total = price["unit_amount"] * asked["quantity"]
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": currency,
        "description": product["name"],
        "metadata": asked.get("metadata", {}),
        "price": {
            "id": new_id("price"),
            "object": "price",
            "active": False,
            "billing_scheme": "per_unit",
            "created": now(),
            "currency": currency,
            "livemode": False,
            "lookup_key": None,
            "metadata": {},
            "nickname": None,
            "product": new_id("prod", 7),
            "recurring": None,
            "tax_behavior": price.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": price["unit_amount"],
            "unit_amount_decimal": str(price["unit_amount"]),
        },
        "quantity": asked["quantity"],
    }


def payment_intent(paid_for: dict[str, Any]) -> dict[str, Any]:
    """The intent that a session's first attempt to pay makes."""
    key = new_id("pi")
    asked = paid_for["_intent"]
    return {
        "id": key,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": paid_for["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": asked.get("capture_method", "automatic_async"),
        "client_secret": f"{key}_secret_{secrets.token_hex(12)}",
        "confirmation_method": "automatic",
        "created": now(),
        "currency": paid_for["currency"],
        "customer": None,
        "customer_account": None,
        "description": asked.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": asked.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": paid_for["payment_method_options"],
        "payment_method_types": paid_for["payment_method_types"],
        "processing": None,
        "receipt_email": asked.get("receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": asked.get("statement_descriptor"),
        "statement_descriptor_suffix": asked.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": asked.get("transfer_group"),
    }


def method_details(means: Card | BankAccount, currency: str) -> dict[str, Any]:
    """The `payment_method_details` of a charge."""
    if isinstance(means, BankAccount):
        kind = bank_method(currency)
        return {"type": kind, kind: {"bank_name": "STRIPE TEST BANK", "last4": means.number.replace(" ", "")[-4:]}}
    card = {
        "brand": means.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "GB",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": hashlib.sha256(means.number.encode()).hexdigest()[:16],
        "funding": "credit",
        "last4": means.number[-4:],
        "network": means.brand,
        "three_d_secure": {"result": "authenticated", "version": "2.2.0"} if means.asks else None,
        "wallet": None,
    }
    return {"type": "card", "card": card}


def charge(intent: dict[str, Any], means: Card | BankAccount, *, status: str, address: str) -> dict[str, Any]:
    """A charge for an intent: succeeded, pending or failed."""
    key = new_id("ch")
    paid = status == "succeeded"
    return {
        "id": key,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": new_id("txn") if paid else None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": "COLLOQUY TEST",
        "captured": status != "failed",
        "created": now(),
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": None,
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": method_details(means, intent["currency"]),
        "presentment_details": None,
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": f"{address}/receipts/{key}" if paid else None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": status,
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
        "_number": means.number,
    }


def refund(of: dict[str, Any], asked: dict[str, Any], *, amount: int, status: str) -> dict[str, Any]:
    """A refund of a charge."""
    kind = of["payment_method_details"]["type"]
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": of["id"],
        "created": now(),
        "currency": of["currency"],
        "description": None,
        "destination_details": {
            "type": kind,
            kind: {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
        },
        "failure_reason": None,
        "metadata": asked.get("metadata", {}),
        "next_action": None,
        "payment_intent": of["payment_intent"],
        "pending_reason": "processing" if status == "pending" else None,
        "presentment_details": None,
        "reason": asked.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def balance_transaction(dispute: dict[str, Any], minor: int) -> dict[str, Any]:
    """What a dispute takes out of the account, or puts back into it; the stand-in charges no fee."""
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": minor,
        "available_on": now(),
        "balance_type": "payments",
        "created": now(),
        "currency": dispute["currency"],
        "description": f"Chargeback withdrawal for {dispute['charge']}" if minor < 0 else "Chargeback reversal",
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": minor,
        "reporting_category": "dispute" if minor < 0 else "dispute_reversal",
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
    }


def event(kind: str, thing: dict[str, Any], cause: dict[str, Any] | None) -> dict[str, Any]:
    """An event about an object as it is now."""
    return {
        "id": new_id("evt"),
        "object": "event",
        "account": None,
        "api_version": API_VERSION,
        "context": None,
        "created": now(),
        "data": {"object": thing},
        "livemode": thing.get("livemode", False),
        "pending_webhooks": 1,
        "request": cause or {"id": None, "idempotency_key": None},
        "type": kind,
    }


def listed(things: list[dict[str, Any]], url: str, *, more: bool) -> dict[str, Any]:
    """A page of a list."""
    return {"object": "list", "data": things, "has_more": more, "url": url}
