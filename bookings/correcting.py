"""Names and addresses that bookers and attendees put right by themselves.

To correct is to write the same person down rightly; somebody else is a substitute, and the booking's policy may charge
for that. So that nobody passes a place on as a correction:

* a new name has to be one the old one could have been: a word of both is the same, or most of their letters are;
* a new address counts once the letter sent there is answered, and the name stays as it is;
* each person is corrected once in this way, in the name or in the address. Any more is the organiser's, who sees in
  the history what it was before and is told each time.

A booker owns the booking, not a place: their name can be corrected as often as they like, their address once the new
one answers. The old key stops working then, and the old address is told.
"""

import difflib
import unicodedata
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from bookings import change_letters, corrections, invites, letters
from bookings.address_models import NewAddress
from bookings.change_terms import Act
from bookings.models import Attendee, Booking
from history import models as history
from history.models import Entry
from lib import db, links, web, work, zones
from mail import outbox

LASTS = timedelta(days=7)
FORGET = "bookings.forget_address"
BY_THEMSELVES = ("booker", "attendee")
NO_NAMES = frozenset(("dr", "mr", "mrs", "ms", "mx", "prof", "professor", "rev", "sir", "dame"))


class SomebodyElse(web.Refusal):
    """The new name looks like another person's."""

    status = 422
    refusal = "somebody_else"
    title = "This looks like somebody else"


class CorrectedAlready(web.Refusal):
    """This person has been corrected once."""

    status = 409
    refusal = "corrected_already"
    title = "This was corrected before"


class LinkSpent(web.Refusal):
    """The link in the letter has done its work, was replaced by a newer one, or is too old."""

    status = 410
    refusal = "link_spent"
    title = "This link has done its work"


def could_be_same(before: str, after: str) -> bool:
    """Whether two names may be one person's: they have a word in common, titles aside, or most of their letters."""
    old, new = _folded(before), _folded(after)
    if {*old.split()} & {*new.split()}:
        return True
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    return 10 * same >= 3 * (len(old) + len(new))  # three letters of five


def why_not(attendee: Attendee, now: datetime) -> str:
    """Why a person cannot be corrected by themselves any more; empty where they can."""
    organiser = attendee.booking.organiser
    ask = f"Please write to {organiser.email} and name booking {attendee.booking.reference}."
    sessions = invites.sessions_of(attendee)
    if attendee.booking.state != "confirmed" or attendee.state != "confirmed":
        return "This place is not confirmed, or has ended, so there is nothing to put right."
    if not sessions or max(each.ends_at for each in sessions) <= now:
        return f"The workshop is over. {ask}"
    if _times(attendee):
        return f"The name or the address was corrected once already, so the organiser does it now. {ask}"
    return ""


def correct_name(booking: Booking, n: int, name: str, act: Act) -> None:
    """Write the person down under another name, with letters and invites again.

    Raises CorrectedAlready, SomebodyElse, or what corrections.correct raises.
    """
    attendee = _attendee(booking, n)
    _refuse(attendee, act)
    before = attendee.name
    if not could_be_same(before, name):
        raise SomebodyElse(
            f"“{name}” looks like another person than “{before}”. If a colleague comes instead, the booking's page "
            f"passes the place on. If it is the same person, {booking.organiser.email} puts it right."
        )
    corrections.correct(booking, n, corrections.Correction(name, attendee.email, ""), actor=act.actor, now=act.at)
    said = [f"“{before}” was corrected to “{name}”. Letters and invites went out again, with new links."]
    change_letters.both(booking, f"{name}: name corrected", said, act)


def ask_address(booking: Booking, n: int, email: str, act: Act, *, is_shared: bool = False) -> None:
    """Write to the address that somebody gave for a person: it counts once they answer from there.

    Raises CorrectedAlready, NothingChanged or AddressTaken.
    """
    attendee = _attendee(booking, n)
    _refuse(attendee, act)
    if email == attendee.email:
        raise corrections.NothingChanged("That is the address we have. No letter was sent.")
    if not is_shared:
        corrections.refuse_taken(attendee, email, act.at)
    who, title = attendee.name, attendee.workshop.title
    said = [
        f"This address was given for {who}, who has a place at {title}. If that is you, please say so: letters, links "
        "and invites come here from then on, and the links sent elsewhere stop working.",
    ]
    _ask(booking, attendee, email, who, said, act, is_shared=is_shared)


def correct_booker_name(booking: Booking, name: str, act: Act) -> None:
    """Write the booker down under another name. Raises NothingChanged."""
    before = booking.booker_name
    if name == before:
        raise corrections.NothingChanged("That is the name we have.")
    booking.booker_name = name
    _remember(booking, "booker_corrected", {"name_before": before, "name": name}, act.actor, act.at)
    change_letters.both(booking, "The booker's name corrected", [f"“{before}” was corrected to “{name}”."], act)


def ask_booker_address(booking: Booking, email: str, act: Act) -> None:
    """Write to the booker's new address: it counts once it is answered from there. Raises NothingChanged."""
    if email == booking.booker_email:
        raise corrections.NothingChanged("That is the address we have. No letter was sent.")
    said = [
        f"This address was given for booking {booking.reference} by {booking.booker_name}. If that is right, please "
        "say so: what concerns the booking comes here from then on, and its old link stops working.",
    ]
    _ask(booking, None, email, booking.booker_name, said, act)


def by_token(token: str) -> NewAddress | None:
    """What the link in a letter is about; None for any other."""
    number = links.row_of(token)
    found = db.session.get(NewAddress, number) if number else None
    return found if found and links.verify_token("address", found.link_version, token) else None


def attendee_of(new: NewAddress) -> Attendee | None:
    """Whose address it would be; None is the booker."""
    return next((each for each in new.booking.attendees if each.id == new.attendee_id), None)


def refuse_spent(new: NewAddress, now: datetime) -> None:
    """Raise LinkSpent for a link that can do nothing any more."""
    attendee = attendee_of(new)
    version = attendee.link_version if attendee else new.booking.link_version
    newest = select(NewAddress.id).where(
        NewAddress.booking_id == new.booking_id, NewAddress.attendee_id.is_not_distinct_from(new.attendee_id)
    )
    is_newest = db.session.scalar(newest.order_by(NewAddress.id.desc()).limit(1)) == new.id
    is_open = new.used_at is None and now < new.asked_at + LASTS
    if not (is_open and is_newest and version == new.link_version and new.booking.state != "cancelled"):
        raise LinkSpent(
            "It was used, a newer letter was sent, or seven days have gone. What counts now is in our newest letter; "
            "lost links can be asked for again.",
            next_url=web.url("visitors.links"),
            next_text="Send me my links again",
        )


def answer(booking: Booking, new: NewAddress, now: datetime) -> None:
    """The new address answered: it counts. Raises LinkSpent, CorrectedAlready or AddressTaken with nothing changed."""
    refuse_spent(new, now)
    act = Act(new.actor, "", now)
    attendee = attendee_of(new)
    if attendee is None:
        _move_booker(booking, new.email, act)
    else:
        _refuse(attendee, act)
        wanted = corrections.Correction(attendee.name, new.email, "", shared=new.is_shared)
        corrections.correct(booking, attendee.n, wanted, actor=new.actor, now=now)
        said = [f"{attendee.name} has the address {attendee.email} now, and answered from there."]
        change_letters.both(booking, f"{attendee.name}: address corrected", said, act)
    new.used_at = now


def forget(now: datetime) -> None:
    """Erase the addresses whose time to answer is over."""
    db.session.execute(delete(NewAddress).where(NewAddress.asked_at <= now - LASTS))


def _move_booker(booking: Booking, email: str, act: Act) -> None:
    before = booking.booker_email
    _letter(
        booking,
        "address_changed",
        before,
        booking.booker_name,
        f"booking:{booking.id}:before:{booking.link_version}",
        act.at,
        subject=f"Booking {booking.reference}: this address is no longer its booker's",
    )
    booking.booker_email = email
    booking.link_version += 1
    _remember(booking, "booker_corrected", {"email_before": before, "email": email}, act.actor, act.at)
    db.session.flush()
    said = [f"What concerns booking {booking.reference} goes to {email} from now on. Its earlier link has stopped."]
    change_letters.both(booking, "A new address for the booking", said, act)
    if booking.state == "confirmed":
        letters.receipt(booking, act.at)


def _ask(
    booking: Booking,
    attendee: Attendee | None,
    email: str,
    name: str,
    sentences: list[str],
    act: Act,
    *,
    is_shared: bool = False,
) -> None:
    new = NewAddress(
        organiser_id=booking.organiser_id,
        booking_id=booking.id,
        attendee_id=attendee.id if attendee else None,
        email=email,
        is_shared=is_shared,
        actor=act.actor,
        link_version=attendee.link_version if attendee else booking.link_version,
        asked_at=act.at,
    )
    db.session.add(new)
    db.session.flush()
    until = act.at + LASTS
    work.post(FORGET, f"new_address:{new.id}", until, {})
    _letter(
        booking,
        "address_asked",
        email,
        name,
        f"new_address:{new.id}",
        act.at,
        about=f"attendee:{attendee.id}" if attendee else f"booking:{booking.id}",
        subject="Is this your address?",
        sentences=sentences,
        confirm_url=web.url("addresses.asked", token=links.token("address", new.id, new.link_version)),
        until=zones.moment(until, booking.zone),
    )
    facts: dict[str, object] = {"who": name, "attendee": attendee.id if attendee else None}
    _remember(booking, "address_asked", facts, act.actor, act.at)


def _letter(
    booking: Booking,
    template: str,
    email: str,
    name: str,
    lane: str,
    at: datetime,
    *,
    about: str = "",
    **values: object,
) -> None:
    """In a lane of its own: an address that no server answers for holds nothing else up. No key and no link into it."""
    organiser = booking.organiser
    outbox.post(
        template,
        to_name=name,
        to_email=email,
        sender=outbox.Sender(organiser.name, organiser.email, organiser.id),
        about=about or f"booking:{booking.id}",
        lane=lane,
        at=at,
        values={
            "reference": booking.reference,
            "organiser_name": organiser.name,
            "organiser_email": organiser.email,
            **values,
        },
    )


def _attendee(booking: Booking, n: int) -> Attendee:
    return next(each for each in booking.attendees if each.n == n)


def _refuse(attendee: Attendee, act: Act) -> None:
    if reason := why_not(attendee, act.at):
        raise CorrectedAlready(f"{reason} Nothing was changed.")


def _times(attendee: Attendee) -> int:
    """How often this person was corrected without the organiser since they have the place."""
    times = 0
    for verb, actor, facts in db.session.execute(
        select(Entry.verb, Entry.actor, Entry.facts)
        .where(
            Entry.about == f"booking:{attendee.booking_id}",
            Entry.verb.in_(("attendee_corrected", "place_passed_on")),
        )
        .order_by(Entry.id)
    ):
        if facts.get("attendee") == attendee.id:
            times = 0 if verb == "place_passed_on" else times + (actor in BY_THEMSELVES)
    return times


def _remember(booking: Booking, verb: str, facts: dict[str, object], actor: str, at: datetime) -> None:
    history.record(f"booking:{booking.id}", verb, at=at, actor=actor, organiser_id=booking.organiser_id, facts=facts)


def _folded(name: str) -> str:
    plain = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    words = "".join(each if each.isalnum() else " " for each in plain.casefold()).split()
    names = [each for each in words if each not in NO_NAMES and len(each) > 1]
    return " ".join(names or words)
