"""Which parameters the stand-in takes: those of API version 2026-10-28.endive that a hosted payment page can use."""

from demo.stripe.params import Email, Fields, Flag, Instant, Many, Metadata, OneOf, Rule, Text, Url, Whole

_LOCALES = (
    "auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt "
    "pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW"
)
_METHODS = (
    "acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit bacs_debit bancontact billie "
    "blik boleto card cashapp crypto customer_balance eps fpx giropay grabpay ideal kakao_pay klarna konbini "
    "kr_card link mobilepay multibanco naver_pay oxxo p24 pay_by_bank payco paynow paypal pix promptpay "
    "revolut_pay samsung_pay satispay sepa_debit sofort swish twint us_bank_account wechat_pay zip"
)
LOCALES = tuple(_LOCALES.split())
METHODS = tuple(_METHODS.split())

_MESSAGE = Fields({"message": Text(1200)}, ("message",))
_EXPAND = Many(Text(), 20)

_PRICE = Fields(
    {
        "currency": Text(3),
        "unit_amount": Whole(least=0),
        "tax_behavior": OneOf(("exclusive", "inclusive", "unspecified")),
        "product_data": Fields(
            {
                "name": Text(),
                "description": Text(),
                "images": Many(Url(2048), 8),
                "metadata": Metadata(),
                "tax_code": Text(),
                "unit_label": Text(12),
            },
            ("name",),
        ),
    },
    ("currency", "unit_amount", "product_data"),
)

SESSION = Fields(
    {
        "adaptive_pricing": Fields({"enabled": Flag()}),
        "allowed_payment_method_types": Many(OneOf(METHODS)),
        "automatic_tax": Fields({"enabled": OneOf(("false",))}, ("enabled",)),
        "billing_address_collection": OneOf(("auto", "required")),
        "cancel_url": Url(),
        "client_reference_id": Text(200),
        "consent_collection": Fields(
            {"promotions": OneOf(("auto", "none")), "terms_of_service": OneOf(("none", "required"))}
        ),
        "custom_text": Fields(
            {
                "after_submit": _MESSAGE,
                "shipping_address": _MESSAGE,
                "submit": _MESSAGE,
                "terms_of_service_acceptance": _MESSAGE,
            }
        ),
        "customer_creation": OneOf(("always", "if_required")),
        "customer_email": Email(800),
        "excluded_payment_method_types": Many(OneOf(METHODS)),
        "expand": _EXPAND,
        "expires_at": Whole(),
        "invoice_creation": Fields({"enabled": OneOf(("false",))}, ("enabled",)),
        "line_items": Many(
            Fields(
                {"metadata": Metadata(), "price_data": _PRICE, "quantity": Whole(least=1, most=999999)},
                ("price_data", "quantity"),
            )
        ),
        "locale": OneOf(LOCALES),
        "metadata": Metadata(),
        "mode": OneOf(("payment", "setup", "subscription")),
        "origin_context": OneOf(("mobile_app", "web")),
        "payment_intent_data": Fields(
            {
                "capture_method": OneOf(("automatic", "automatic_async")),
                "description": Text(1000),
                "metadata": Metadata(),
                "receipt_email": Email(800),
                "statement_descriptor": Text(22),
                "statement_descriptor_suffix": Text(22),
                "transfer_group": Text(),
            }
        ),
        "payment_method_options": Fields(
            {"card": Fields({"request_three_d_secure": OneOf(("any", "automatic", "challenge"))})}
        ),
        "phone_number_collection": Fields({"enabled": Flag()}, ("enabled",)),
        "submit_type": OneOf(("auto", "book", "donate", "pay", "subscribe")),
        "success_url": Url(),
        "tax_id_collection": Fields({"enabled": Flag(), "required": OneOf(("if_supported", "never"))}, ("enabled",)),
        "ui_mode": OneOf(("elements", "embedded_page", "form", "hosted_page")),
    },
    ("line_items", "mode", "success_url"),
)

REFUND = Fields(
    {
        "amount": Whole(least=1),
        "charge": Text(),
        "currency": Text(3),
        "expand": _EXPAND,
        "metadata": Metadata(),
        "payment_intent": Text(),
        "reason": OneOf(("duplicate", "fraudulent", "requested_by_customer")),
        "refund_application_fee": Flag(),
        "reverse_transfer": Flag(),
    }
)

ONE = Fields({"expand": _EXPAND})


def listing(**filters: Rule) -> Fields:
    """The parameters of a list: Stripe's paging, and the filters of that list."""
    return Fields(
        {
            "ending_before": Text(),
            "expand": _EXPAND,
            "limit": Whole(least=1, most=100),
            "starting_after": Text(),
            **filters,
        }
    )


SESSIONS = listing(
    created=Instant(),
    customer_details=Fields({"email": Text()}, ("email",)),
    payment_intent=Text(),
    status=OneOf(("complete", "expired", "open")),
)
LINE_ITEMS = listing()
PAYMENT_INTENTS = listing(created=Instant())
CHARGES = listing(created=Instant(), payment_intent=Text())
DISPUTES = listing(charge=Text(), created=Instant(), payment_intent=Text())
REFUNDS = listing(charge=Text(), created=Instant(), payment_intent=Text())
EVENTS = listing(created=Instant(), delivery_success=Flag(), type=Text(), types=Many(Text(), 20))
