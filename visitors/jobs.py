"""Sending people the links they have lost."""

from datetime import datetime

from bookings import letters, pages
from lib import db, work
from mail import outbox

SEND_LINKS = "visitors.send_links"


def send_links(task: work.Task, now: datetime) -> None:
    """One letter with all links of an address; none when it has no booking here."""
    email = task.arguments["email"]
    with db.writing():
        attendees, bookings = pages.links_of(email, now)
        if not attendees and not bookings:
            return
        outbox.post(
            "my_links",
            to_name=attendees[0].name if attendees else bookings[0].booker_name,
            to_email=email,
            sender=outbox.Sender("Colloquy", None),
            about="address",
            lane=f"links:{task.id}",
            at=now,
            values={
                "subject": "Your links",
                "name": attendees[0].name if attendees else bookings[0].booker_name,
                "places": pages.places_for_letter(attendees),
                "bookings": [
                    {
                        "reference": each.reference,
                        "title": each.attendees[0].workshop.title,
                        "url": letters.booking_url(each),
                    }
                    for each in bookings
                ],
            },
        )


HANDLERS: work.Handlers = {SEND_LINKS: send_links}
