"""What we send is what the SDK's types allow, and so is everything that the stand-in takes."""

import sys
import typing
from typing import Any

import pytest
from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams
from typing_extensions import is_typeddict

from demo.stripe import schema
from demo.stripe.params import Fields, Many, Rule
from tests.demo.conftest import wanted
from tests.stripe_types import check_params


def test_right_params_pass() -> None:
    check_params("session create", wanted())
    check_params("session expire", {})
    check_params("session retrieve", {"expand": ["payment_intent"]})
    check_params("refund create", {"payment_intent": "pi_1", "amount": 500, "metadata": {"refund": "7"}})


def test_a_misspelt_key_deep_inside_is_refused() -> None:
    params = wanted()
    params["line_items"][0]["price_data"]["product_data"]["nmae"] = "x"
    with pytest.raises(ValueError, match=r"line_items\.0\.price_data\.product_data\.nmae"):
        check_params("session create", params)


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("session create", wanted(payment_method_types=["card"])),
        ("session create", wanted(expires_at="soon")),
        ("session create", wanted(metadata={"booking": 7})),
        ("session create", wanted(idempotency_key="one")),
        ("session create", wanted(payment_intent_data={"recipt_email": "a@example.org"})),
        ("session expire", {"reason": "late"}),
        ("session retrieve", {"expand": "payment_intent"}),
        ("refund create", {"payment_intent": "pi_1", "amount": "500"}),
        ("refund create", {"payment_intent": "pi_1", "ammount": 500}),
    ],
)
def test_wrong_params_are_refused(kind: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        check_params(kind, params)


def typed_dict_in(hint: Any, module: Any) -> Any:
    """The TypedDict that a field's type leads to, through lists, unions and names in quotes; None if none does."""
    if isinstance(hint, typing.ForwardRef):
        hint = eval(hint.__forward_arg__, vars(module))
    if isinstance(hint, str):
        hint = eval(hint, vars(module))
    if is_typeddict(hint):
        return hint
    inner = (typed_dict_in(arg, module) for arg in typing.get_args(hint) if not isinstance(arg, (str, int)))
    return next((found for found in inner if found is not None), None)


def known_to_the_sdk(rule: Rule, typed: Any, path: str) -> None:
    while isinstance(rule, Many):
        rule = rule.of
    if not isinstance(rule, Fields):
        return
    module = sys.modules[typed.__module__]
    for name, inner in rule.rules.items():
        assert name in typed.__annotations__, f"{path}.{name} is not in the SDK"
        below = typed_dict_in(typed.__annotations__[name], module)
        if below is not None:
            known_to_the_sdk(inner, below, f"{path}.{name}")


def test_the_stand_in_takes_nothing_that_the_sdk_does_not_know() -> None:
    known_to_the_sdk(schema.SESSION, SessionCreateParams, "session")
    known_to_the_sdk(schema.REFUND, RefundCreateParams, "refund")
