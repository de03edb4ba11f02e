"""Sending people the links they have lost."""

from datetime import datetime

from bookings import booked, letters, pages, waiting_letters, waiting_list
from lib import db, work
from mail import outbox

SEND_LINKS = "visitors.send_links"


def send_links(task: work.Task, now: datetime) -> None:
    """One letter with all links of an address; none when there is nothing of it here."""
    email = task.arguments["email"]
    with db.writing():
        attendees, bookings = pages.links_of(email, now)
        waiting = waiting_list.of_address(email, now)
        names = [
            *(each.name for each in attendees),
            *(each.booker_name for each in bookings),
            *(each.name for each in waiting),
        ]
        if not names:
            return
        outbox.post(
            "my_links",
            to_name=names[0],
            to_email=email,
            sender=outbox.Sender("Colloquy", None),
            about="address",
            lane=f"links:{task.id}",
            at=now,
            values={
                "subject": "Your links",
                "name": names[0],
                "places": pages.places_for_letter(attendees),
                "bookings": [
                    {
                        "reference": each.reference,
                        "title": booked.title(each),
                        "url": letters.booking_url(each),
                    }
                    for each in bookings
                ],
                "waiting": [{"title": each.workshop.title, "url": waiting_letters.url(each)} for each in waiting],
            },
        )


HANDLERS: work.Handlers = {SEND_LINKS: send_links}
