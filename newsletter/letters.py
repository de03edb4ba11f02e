"""The two letters of a newsletter: please confirm, and welcome, with the code."""

from datetime import datetime
from typing import Any

from lib import links, web, zones
from mail import outbox
from newsletter.models import Subscriber


def confirm_url(subscriber: Subscriber) -> str:
    """Where the address is confirmed. Leaving and asking again makes it another one."""
    return web.url(
        "newsletter.confirm", token=links.token("newsletter_confirm", subscriber.id, subscriber.link_version)
    )


def unsubscribe_url(subscriber: Subscriber) -> str:
    """Where the address leaves; right for ever, since it is in every letter."""
    return web.url("newsletter.unsubscribe", token=links.token("newsletter_leave", subscriber.id, 1))


def confirm(subscriber: Subscriber, now: datetime) -> None:
    """Nothing is sent to an address before somebody opened this and pressed the button."""
    organiser = subscriber.organiser
    _post(
        subscriber,
        "newsletter_confirm",
        now,
        subject=f"Please confirm: news from {organiser.name}",
        confirm_url=confirm_url(subscriber),
        percent=subscriber.placement.percent,
    )


def welcome(subscriber: Subscriber, now: datetime) -> None:
    """The address is confirmed, and this is its code, if it has one."""
    organiser, code = subscriber.organiser, subscriber.code
    _post(
        subscriber,
        "newsletter_welcome",
        now,
        subject=f"Welcome: news from {organiser.name}",
        code=code.code if code else None,
        percent=code.percent if code else None,
        until=zones.moment(code.valid_until, organiser.zone) if code and code.valid_until else None,
        workshops_url=web.url("courses.listed"),
        unsubscribe_url=unsubscribe_url(subscriber),
    )


def _post(subscriber: Subscriber, template: str, now: datetime, **values: Any) -> None:
    organiser = subscriber.organiser
    outbox.post(
        template,
        to_name="",
        to_email=subscriber.email,
        sender=outbox.Sender(organiser.name, organiser.email, organiser.id),
        about=f"subscriber:{subscriber.id}",
        lane=f"subscriber:{subscriber.id}",
        at=now,
        values={**values, "organiser_name": organiser.name, "organiser_address": organiser.address},
    )
