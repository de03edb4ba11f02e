"""The letters that carry one-time links."""

from datetime import datetime
from email.utils import parseaddr

from flask import current_app

from accounts import signing_in
from accounts.models import Organiser
from lib import web, zones
from mail import outbox

HOUSE_ZONE = zones.LONDON

_SUBJECTS = {"sign_in": "Sign in to Colloquy", "password": "Choose a password for Colloquy"}
_PAGES = {
    "sign_in": "accounts.sign_in_link",
    "password": "accounts.password_link",
    "invitation": "accounts.invitation",
}
ROLE_WORDS = {"owner": "an owner", "manager": "a manager", "presenter": "a presenter"}
MAY_WORDS = {
    "owner": "schedule workshops, answer for the money and invite your team",
    "manager": "schedule workshops and look after bookings",
    "presenter": "see the workshops you give",
}


def page_of(made: signing_in.Made) -> str:
    """The address in the letter: under BASE_URL, whatever host the request came with."""
    return web.url(_PAGES[made.link.purpose], token=made.token)


def post_link(email: str, purpose: signing_in.Purpose, now: datetime, *, next_path: str = signing_in.HOME) -> None:
    """Make a link and post it, in the open transaction. The same for an address nobody knows: proving the address
    is what the link is for, so nothing here tells the two apart."""
    made = signing_in.make(email, purpose, now, next_path=next_path)
    _post(made, now, {"subject": _SUBJECTS[purpose]}, HOUSE_ZONE, _house())


def post_invitation(made: signing_in.Made, organiser: Organiser, now: datetime) -> None:
    """Post the letter of an invitation just made, in the open transaction."""
    role = made.link.role or ""
    values = {
        "subject": f"Your invitation to {organiser.name} on Colloquy",
        "organiser_name": organiser.name,
        "role_words": ROLE_WORDS[role],
        "may_words": MAY_WORDS[role],
    }
    _post(made, now, values, organiser.zone, _house(organiser.id))


def _post(made: signing_in.Made, now: datetime, values: dict[str, str], zone: str, sender: outbox.Sender) -> None:
    about = f"sign_in_link:{made.link.id}"
    outbox.post(
        made.link.purpose,
        to_name="",
        to_email=made.link.email,
        sender=sender,
        about=about,
        lane=about,
        at=now,
        values={
            **values,
            outbox.ONCE_URL: page_of(made),
            "until": zones.moment(made.link.expires_at, zone),
        },
    )


def _house(organiser_id: int | None = None) -> outbox.Sender:
    name = parseaddr(str(current_app.config["MAIL_FROM"]))[0]
    return outbox.Sender(name or "Colloquy", None, organiser_id)
