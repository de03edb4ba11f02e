"""What the desk calls things: states, letters, and what history says, in sentences."""

import re

from history.models import Entry
from lib import money

STATES = {
    "held": ("Waiting for payment", "warn"),
    "awaiting_bank": ("Waiting for the bank", "warn"),
    "awaiting_invoice": ("Waiting for an invoice", "warn"),
    "confirmed": ("Confirmed", "good"),
    "lapsed": ("Lapsed", ""),
    "cancelled": ("Cancelled", ""),
}
WAITING = {
    "waiting": ("Waiting", "warn"),
    "offered": ("Has an offer", "tell"),
    "accepted": ("Is booking", "tell"),
    "booked": ("Booked", "good"),
    "lapsed": ("Did not answer", ""),
    "left": ("Left", ""),
    "removed": ("Taken off", ""),
    "closed": ("Over", ""),
}
PLACES = {"held": "kept", "taken": "taken", "released": "given back"}
PAYMENTS = {"pending": "on its way", "succeeded": "arrived", "failed": "did not arrive"}
DISPUTES = {
    "inquiry": "the bank asks",
    "open": "taken by the bank",
    "won": "won",
    "lost": "lost",
    "withdrawn": "over",
}
REFUNDS = {"waiting": "about to be sent", "pending": "on its way", "succeeded": "sent back", "failed": "failed"}
LETTER_STATES = {"waiting": ("Waiting", "warn"), "sent": ("Sent", "good"), "failed": ("Failed", "bad")}
LETTERS = {
    "confirmed": "The place, with its invite",
    "catch_up_booked": "The recording, and until when",
    "session_invite": "One more session's invite",
    "session_cancelled": "A session is cancelled",
    "receipt": "Receipt",
    "instalment_due": "A part of the price is due",
    "instalment_paid": "A part of the price has arrived",
    "reminder": "Reminder",
    "join_link": "The way in, asked for",
    "moved": "New times",
    "place_elsewhere": "Withdrawn from this address",
    "address_asked": "Is this your address?",
    "address_changed": "Another address for the booking",
    "recording_ready": "The recording is ready",
    "recording_closing": "The recording closes soon",
    "recording_longer": "More time for the recording",
    "recording_paused": "The time to watch is paused",
    "recording_covers": "Missed, and covered by the recording",
    "awaiting_bank": "Waiting for the bank",
    "awaiting_invoice": "Places kept, an invoice sent",
    "invoice": "Invoice",
    "invoice_reminder": "The invoice is still open",
    "credit_note": "Credit note",
    "payment_failed": "The bank did not pay",
    "refunded_late": "Money sent back",
    "sent_back": "Money sent back",
    "workshop_cancelled": "The workshop is cancelled",
    "cancelled_booking": "The workshop is cancelled, and the money",
    "organiser_notice": "A notice to you",
    "credit_kept": "A credit to be used later",
    "credit_link": "A new link to a credit",
    "waiting_joined": "On the waiting list",
    "waiting_offer": "A place held for somebody who waited",
    "waiting_first_come": "A free place, for whoever answers first",
    "waiting_over": "The wait is over",
}
WATCHING = {
    "open": ("Open", "good"),
    "paused": ("Paused", "warn"),
    "waiting": ("Not open yet", ""),
    "closed": ("Closed", ""),
    "withdrawn": ("Withdrawn", "bad"),
}
ROLES = {"owner": "Owner", "manager": "Manager", "presenter": "Presenter"}
PAPERS = {"terms": "Terms", "privacy": "Privacy notice", "accessibility": "Accessibility statement"}
_ACTORS = {
    "booker": "The booker",
    "stripe": "Stripe",
    "worker": "Colloquy",
    "zoom": "Zoom",
    "rule": "Colloquy",
    "attendee": "The attendee",
    "waiting": "Somebody who waits",
}
_DEEDS = {
    "booking_held": "Places kept while the booker pays",
    "booking_confirmed": "Confirmed",
    "booking_awaiting_bank": "Waiting for the bank",
    "booking_awaiting_invoice": "An invoice was sent",
    "payment_written_down": "Money that came past Stripe",
    "let_in_unpaid": "Let in before the invoice is paid",
    "refund_sent_by_hand": "A refund was sent from the bank",
    "booking_lapsed": "Lapsed, places given back",
    "booking_cancelled": "Cancelled",
    "attendees_cancelled": "Some of the places cancelled",
    "refund_begun": "Money is going back",
    "instalment_asked": "A part of the price asked for",
    "instalment_paid": "A part of the price paid",
    "instalments_dropped": "Parts not paid yet, no longer owed",
    "changed_for_booker": "Done for the booker",
    "change_begun_for_booker": "Begun for the booker",
    "change_lapsed": "A change was not paid for, and everything stays",
    "refund_repeated": "A refund sent again",
    "credit_issued": "Kept as a credit",
    "credit_spent": "Paid with a credit",
    "credit_link_ended": "The link to a credit ended, a new one sent",
    "same_card_seen": "Paid with a card that has paid before",
    "payment_mismatch": "A payment did not fit the bill",
    "letter_failed": "A letter failed",
    "letter_resent": "A letter sent again",
    "attendee_corrected": "A person put right",
    "booker_corrected": "The booker put right",
    "answers_changed": "An attendee changed their answers",
    "address_asked": "A new address asked whether it is right",
    "place_given": "A free place given",
    "places_added": "People added",
    "joined": "Came in",
    "window_extended": "More days to watch the recording",
    "window_paused": "The time to watch paused",
    "window_resumed": "The time to watch goes on",
    "window_grown": "The time to watch grew by an outage",
    "told_covered": "Told that the recording covers a missed session",
    "waiting_joined": "Joined the list",
    "waiting_changed": "Asked for another number",
    "waiting_offered": "Offered a place",
    "waiting_told": "Told of a free place",
    "waiting_accepted": "Took the offer",
    "waiting_booked": "Booked",
    "waiting_lapsed": "Did not answer in time",
    "waiting_waits_on": "Let fewer places pass, and waits on",
    "waiting_left": "Left the list",
    "waiting_removed": "Taken off the list",
    "waiting_closed": "The wait ended with the sale",
    "waiting_set": "The list's settings changed",
}
_CHANGES = {"cancel": "place ended", "substitute": "place passed on", "transfer": "place moved"}
_LINK = re.compile(r"(?:https?|webcal)://\S+")


def letter(template: str) -> str:
    return LETTERS.get(template, template.replace("_", " ").capitalize())


def actor(entry: Entry, names: dict[str, str]) -> str:
    """Who did it, by name."""
    return names.get(entry.actor) or _ACTORS.get(entry.actor, "Somebody who has left")


def entry(kept: Entry) -> str:
    """What history says, as a sentence with the facts that matter."""
    facts = kept.facts
    said = [_DEEDS.get(kept.verb, kept.verb.replace("_", " ").capitalize())]
    if "amount_minor" in facts and "currency" in facts:
        said.append(money.text(int(facts["amount_minor"]), str(facts["currency"])))
    if kept.verb.startswith("letter_"):
        said.append(letter(str(facts.get("template") or facts.get("letter"))).lower())
    if kept.verb in ("changed_for_booker", "change_begun_for_booker"):
        by = "by the booking terms" if facts["source"] == "rule" else "on terms of your own"
        said.append(f"{facts['who']}, {_CHANGES[facts['kind']]} {by}: {str(facts['money']).rstrip('.')}")
    for name, words in (("name", "name"), ("email", "address")):
        if f"{name}_before" in facts:
            said.append(f"{words} from {facts[f'{name}_before']} to {facts[name]}")
    if kept.verb == "same_card_seen":
        said.append(f"for {', '.join(facts['bookings'])}")
    if kept.verb.startswith("window_"):
        said.append(f"session {facts['session']}")
        if until := facts.get("until"):
            said.append(f"open until {until}")
    if answer := facts.get("answer"):
        said.append(f"the server said: {answer}")
    if wrong := facts.get("wrong"):
        said.append(str(wrong))
    why = str(facts.get("why") or "").rstrip(".")
    return f"{', '.join(said)}.{f' Reason: {why}.' if why else ''}"


def without_links(text: str) -> str:
    """A letter's text for the team: whoever holds a link can use it, so none is shown."""
    return _LINK.sub("(a link of their own)", text)
