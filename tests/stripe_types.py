"""Checks the parameters we send to Stripe against the SDK's own types, unknown keys at any depth included."""

import sys
from functools import cache
from types import ModuleType
from typing import Any

import stripe
from pydantic import ConfigDict, TypeAdapter
from stripe import _request_options
from stripe._http_client import HTTPClient
from stripe._stripe_context import StripeContext
from stripe.params import (
    ChargeListParams,
    DisputeListParams,
    EventListParams,
    PaymentIntentRetrieveParams,
    RefundCreateParams,
    RefundListParams,
)
from stripe.params.checkout import SessionCreateParams, SessionExpireParams, SessionListParams, SessionRetrieveParams
from typing_extensions import is_typeddict

KINDS: dict[str, Any] = {
    "session create": SessionCreateParams,
    "session expire": SessionExpireParams,
    "session retrieve": SessionRetrieveParams,
    "session list": SessionListParams,
    "intent retrieve": PaymentIntentRetrieveParams,
    "refund create": RefundCreateParams,
    "refund list": RefundListParams,
    "charge list": ChargeListParams,
    "dispute list": DisputeListParams,
    "event list": EventListParams,
}


def check_params(kind: str, params: dict[str, Any]) -> None:
    """Raise ValueError unless the SDK's types allow these params for that kind of request.

    Kinds: those of KINDS. What the SDK takes as options (a key, an
    idempotency key) is refused among params. Enumerated words are not checked here: the SDK's types allow any text.
    """
    options = sorted(params.keys() & _request_options.RequestOptions.__annotations__.keys())
    if options:
        raise ValueError(f"options among the params: {', '.join(options)}")
    _adapter(kind).validate_python(params, strict=True)


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    typed = KINDS[kind]
    module = sys.modules[typed.__module__]
    for name in vars(module):
        _close(module, name)
    _close(_request_options, "RequestOptions")
    adapter: TypeAdapter[Any] = TypeAdapter(typed)
    adapter.rebuild(
        _types_namespace={
            **vars(module),
            **vars(_request_options),
            "StripeContext": StripeContext,
            "HTTPClient": HTTPClient,
            "stripe": stripe,
        }
    )
    return adapter


def _close(module: ModuleType, name: str) -> None:
    typed = getattr(module, name)
    if is_typeddict(typed):
        typed.__pydantic_config__ = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
