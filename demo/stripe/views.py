"""How kept objects are shown: without private keys, changed as a test asked, expanded and in pages."""

from collections.abc import Callable, Iterable
from typing import Any

from demo.stripe import shapes
from demo.stripe.errors import Refused, missing
from demo.stripe.store import Store

_EXPANDABLE = {
    "charge": "charge",
    "latest_charge": "charge",
    "payment_intent": "payment_intent",
}
_DEPTH = 4

Filter = Callable[[dict[str, Any]], bool]
Show = Callable[[dict[str, Any]], dict[str, Any]]


def shown(store: Store, thing: dict[str, Any]) -> dict[str, Any]:
    """The object as it leaves."""
    out = {key: value for key, value in thing.items() if not key.startswith("_")}
    override = store.get("override", thing["id"])
    return out | override["fields"] if override else out


def event_shown(store: Store, event: dict[str, Any]) -> dict[str, Any]:
    """An event as it leaves: its snapshot, and whatever a test has since made its object say."""
    about = event["data"]["object"]
    override = store.get("override", about.get("id", ""))
    fields = override["fields"] if override else {}
    return event | {
        "data": event["data"] | {"object": about | fields},
        "livemode": fields.get("livemode", event["livemode"]),
    }


def expanded(store: Store, out: dict[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """The shown object with the objects that `expand` names in place of their ids."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > _DEPTH:
            raise Refused(400, f"You cannot expand more than {_DEPTH} levels of a property.", param="expand")
        targets = [out]
        if parts[0] == "data" and out["object"] == "list":
            targets, parts = out["data"], parts[1:]
        for target in targets:
            _expand(store, target, parts, path)
    return out


def _expand(store: Store, target: dict[str, Any], parts: list[str], path: str) -> None:
    if not parts:
        return
    name = parts[0]
    if target["object"] == "checkout.session" and name == "line_items":
        kept = store.table("session")[target["id"]]
        target["line_items"] = shapes.listed(
            kept["_items"], f"/v1/checkout/sessions/{target['id']}/line_items", more=False
        )
    elif target["object"] == "charge" and name == "refunds":
        of = [shown(store, r) for r in store.table("refund").values() if r["charge"] == target["id"]]
        target["refunds"] = shapes.listed(of[::-1], f"/v1/charges/{target['id']}/refunds", more=False)
    elif name not in _EXPANDABLE or name not in target:
        raise Refused(400, f"This property cannot be expanded ({path}).", param="expand[0]")
    else:
        inner = target[name]
        if isinstance(inner, str):
            inner = target[name] = shown(store, store.table(_EXPANDABLE[name])[inner])
        if inner is not None:
            _expand(store, inner, parts[1:], path)


def page(
    things: Iterable[dict[str, Any]],
    asked: dict[str, Any],
    url: str,
    what: str,
    *,
    show: Show,
    keep: Filter,
) -> dict[str, Any]:
    """A page of the kept things given newest first, as Stripe's cursors and filters ask."""
    rows = [t for t in things if _created_in(t, asked.get("created", {})) and keep(t)]
    limit = asked.get("limit", 10)
    if "ending_before" in asked:
        at = _index(rows, asked["ending_before"], what, "ending_before")
        start = max(0, at - limit)
        return shapes.listed([show(row) for row in rows[start:at]], url, more=start > 0)
    start = _index(rows, asked["starting_after"], what, "starting_after") + 1 if "starting_after" in asked else 0
    return shapes.listed([show(row) for row in rows[start : start + limit]], url, more=len(rows) > start + limit)


def _index(rows: list[dict[str, Any]], key: str, what: str, param: str) -> int:
    for index, row in enumerate(rows):
        if row["id"] == key:
            return index
    raise missing(what, key, param)


def _created_in(thing: dict[str, Any], bounds: dict[str, int]) -> bool:
    at = int(thing.get("created", 0))
    return (
        at > bounds.get("gt", at - 1)
        and at >= bounds.get("gte", at)
        and at < bounds.get("lt", at + 1)
        and at <= bounds.get("lte", at)
    )
