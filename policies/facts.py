"""What is known about a booking when somebody asks what a policy says about it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

# What may be known only later; any other fact that nobody has given does not hold.
KNOWN_LATER = ("seat_resold",)


@dataclass(frozen=True)
class Group:
    """Places bought together at a discount that needs `threshold` of them, of which `leaving` are given back."""

    size: int
    list_price_minor: int
    threshold: int | None = None
    leaving: int = 1

    @property
    def loses_discount(self) -> bool:
        """Whether those who stay no longer earn it."""
        return self.threshold is not None and self.size - self.leaving < self.threshold


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The circumstances. Money in minor units of `currency`, instants aware.

    `price_minor` and `paid_minor` are the share of what the action is about: one attendee's stored share, or all of a
    booking. `sessions` are the starts of the sessions the ticket admits to, `session_starts_at` the one asked about,
    if it is only one. `zone` is where dates are counted; empty stands for the policy's own. `seat_resold` None means
    that it is not known yet, which makes an answer that hangs on it pending; so does None for a fact in `others`.
    `reason` and `proof` say why: a condition `medical: true` holds with the reason medical and its proof. `others` are
    any further facts by the names the policy uses; a moment's name ends in `_at`.
    """

    price_minor: int
    paid_minor: int
    currency: str
    sessions: tuple[datetime, ...] = ()
    session_starts_at: datetime | None = None
    ends_at: datetime | None = None
    zone: str = ""
    booked_at: datetime | None = None
    paid_at: datetime | None = None
    invoiced_at: datetime | None = None
    ticket: str | None = None
    product: str | None = None
    deposit_minor: int | None = None
    transfers_used: int = 0
    substitutions_used: int = 0
    target_price_minor: int | None = None
    target_starts_at: datetime | None = None
    target_events_after: int | None = None
    waiting_list: bool = False
    seat_resold: bool | None = None
    reason: str = ""
    proof: bool = False
    group: Group | None = None
    others: Mapping[str, Any] = field(default_factory=dict)

    def moment(self, name: str) -> datetime | None:
        """The instant `name` stands for in a condition: event, session, booked, invoiced, or one of `others`."""
        first = min(self.sessions, default=None)
        own = {
            "event": first,
            "first_session": first,
            "last_session": max(self.sessions, default=None),
            "session": self.session_starts_at or first,
            "event_end": self.ends_at,
            "booked": self.booked_at,
            "booking": self.booked_at,
            "purchase": self.booked_at,
            "paid": self.paid_at,
            "invoiced": self.invoiced_at,
            "invoice": self.invoiced_at,
            "target": self.target_starts_at,
        }
        found = own.get(name) or self.others.get(f"{name}_at") or self.others.get(name)
        return found if isinstance(found, datetime) else None

    def value(self, name: str, at: datetime) -> Any:
        """The fact `name`; None where it is not known yet, False where nobody has said anything about it."""
        if name in self.others:
            return self.others[name]
        if name in _PLAIN:
            found = getattr(self, name)
            return False if found is None and name not in KNOWN_LATER else found
        if name in ("sessions_total", "sessions_held", "sessions_left"):
            held = sum(start <= at for start in self.sessions)
            return {"total": len(self.sessions), "held": held, "left": len(self.sessions) - held}[name[9:]]
        if name in ("paid", "paid_in_full"):
            return self.paid_minor >= max(1, self.price_minor if name == "paid_in_full" else 1)
        return self.proof if name == self.reason else False


_PLAIN = frozenset(each.name for each in fields(Facts)) - {"others", "sessions", "group"}
