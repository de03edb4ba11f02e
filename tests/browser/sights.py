"""Every page a person can be shown, who is shown it, and how they come to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.browser.world import World

# GET routes that answer with no page.
NO_PAGE = {
    "static", "health.healthz", "health.metrics", "health.readyz", "newsletter.confirm", "newsletter.unsubscribe",
    "site.robots", "site.sitemap", "bookings.shown_json",
    "booking_invoices.of_booking", "booking_invoices.paper", "organise_invoices.file",
    "courses.listed_calendar", "courses.listed_json", "courses.workshop_calendar", "organise_papers.colours",
    "organise_papers.logo", "organise_people.people_file", "places.invite", "places.place_json", "recordings.captions",
    "recordings.film",
}  # fmt: skip

DESK = "/organise/sea-street"
OWNER = ("owner",)
OWN = f"{DESK}/workshops/tour-open"


@dataclass(frozen=True)
class Sight:
    """A page: its route, its address or the name of one in the World, and the status it is answered with.

    With `typed`, it is what answers when that is posted there; `times` says how often, where only the last counts.
    """

    endpoint: str
    path: str
    status: int = 200
    who: tuple[str, ...] = ("nobody",)
    typed: Mapping[str, str] | None = None
    times: int = 1

    def at(self, world: World) -> str:
        """The address below the house's own; a name may be followed by what comes after it there."""
        if self.path.startswith("/"):
            return self.path
        name, slash, rest = self.path.partition("/")
        address, mark, query = world[name].partition("?")
        return address + slash + rest + (mark.replace("?", "&") if "?" in rest else mark) + query


def catalogue(slug_of: Callable[[str], str]) -> list[Sight]:
    """The public pages; `slug_of` finds a workshop of the demo's catalogue by its course's slug."""
    past = "working-with-complexity-in-grief-2024-10-18"
    full = slug_of("internal-family-systems-an-introduction")
    return [
        Sight("visitors.home", "/"),
        Sight("visitors.terms_page", "/terms"),
        Sight("visitors.privacy", "/privacy"),
        Sight("visitors.accessibility", "/accessibility"),
        Sight("visitors.zone", "/zone?zone=Atlantis", 422),
        Sight("newsletter.shown", "/newsletter"),
        Sight("newsletter.asked", "/newsletter/asked"),
        Sight("newsletter.ask", "/newsletter", 422, typed={"email": "nowhere"}),
        Sight("courses.listed", "/workshops"),
        Sight("courses.listed", "/workshops?q=grief&topic=grief&zone=Asia/Kathmandu"),
        Sight("courses.listed", "/workshops?q=nothing-of-the-kind"),
        Sight("courses.workshop", f"/workshops/{slug_of('listening-under-pressure')}"),
        Sight("courses.workshop", f"/workshops/{past}"),
        Sight("courses.workshop", f"/workshops/{full}"),
        Sight("courses.workshop", f"/workshops/{slug_of('working-with-dreams-in-brighton')}"),
        Sight("courses.workshop", f"/workshops/{slug_of('last-five')}?zone=Australia/Sydney"),
        Sight("courses.workshop", f"/workshops/{slug_of('evening-seminars-neurodiversity')}?zone=America/New_York"),
        Sight("courses.workshop", "/workshops/tour-cancelled"),
        Sight("courses.workshop", "/workshops/tour-draft", 404),
        Sight("courses.course", "/courses/evening-seminars-neurodiversity"),
        Sight("components.shown", "/components"),
        Sight("courses.organiser", "/organisers/sea-street"),
        Sight("courses.presenter", "/presenters/sea-street/marin-fabrica"),
        Sight("organise_papers.public", "/organisers/sea-street/terms"),
        Sight("organise_papers.public", "/organisers/sea-street/privacy"),
        Sight("organise_papers.public", "/organisers/sea-street/accessibility"),
        Sight("bookings.new", f"/workshops/{slug_of('last-five')}/bookings/new"),
        Sight("bookings.new", f"/workshops/{slug_of('working-with-dreams-in-brighton')}/bookings/new"),
        Sight("bookings.new", "/workshops/tour-open/bookings/new"),
        Sight("bookings.new", f"/workshops/{past}/bookings/new", 410),
        Sight("bookings.new", f"/workshops/{full}/bookings/new", 409),
        Sight("bookings.new", "/workshops/tour-cancelled/bookings/new", 410),
        Sight("bookings.book", "/workshops/tour-open/bookings", 422, typed={"attendee-0-email": "nowhere"}),
        Sight("bundles.shown", "/bundles/grief-siblings-and-shame"),
        Sight("bundles.shown", "/bundles/autumn-2024-three?zone=America/New_York"),
        Sight("bundle_bookings.new", "/bundles/grief-siblings-and-shame/bookings/new"),
        Sight("bundle_bookings.new", "/bundles/autumn-2024-three/bookings/new", 409),
        Sight("bundle_bookings.book", "/bundles/grief-siblings-and-shame/bookings", 422, typed={"booker_email": "no"}),
    ]


ONE_PERSON = [
    Sight("accounts.sign_in", "/sign-in"),
    Sight("accounts.ask_to_sign_in", "/sign-in", 422, typed={"email": "nowhere"}),
    Sight("accounts.ask_to_sign_in", "/sign-in", 422, typed={"email": "new@post.example", "password": "wrong"}),
    Sight("accounts.link_sent", "/sign-in/sent"),
    Sight("accounts.sign_in_link", "sign-in"),
    Sight("accounts.sign_in_link", "/sign-in/none-of-ours", 410),
    Sight("accounts.password", "/password"),
    Sight("accounts.ask_for_password", "/password", 422, typed={"email": ""}),
    Sight("accounts.password_link", "password"),
    Sight("accounts.set_password", "password", 422, typed={"password": "short"}),
    Sight("accounts.invitation", "invitation"),
    Sight("accounts.invitation", "/invitations/none-of-ours", 410),
    Sight("visitors.links", "/links"),
    Sight("visitors.links", "/links?sent=1"),
    Sight("visitors.send_links", "/links", 422, typed={"email": "nowhere"}),
    Sight("visitors.me", "/me", who=("attendee", "manager")),
    Sight("bookings.shown", "held"),
    Sight("bookings.shown", "lapsed"),
    Sight("bookings.shown", "bank"),
    Sight("bookings.shown", "confirmed"),
    Sight("bookings.shown", "in-parts"),
    Sight("plans.pay", "in-parts/instalments", 409, typed={"until": "0"}),
    Sight("bookings.shown", "cancelled"),
    Sight("bookings.shown", "invoiced"),
    Sight("booking_payments.payment", "lapsed/payment", 410, typed={}),
    Sight("adding.new", "confirmed/places"),
    Sight("adding.quote", "confirmed/places/quote", 422, typed={"attendee-0-email": "nowhere"}),
    Sight("correcting.booker", "confirmed/corrections"),
    Sight("correcting.correct_booker", "confirmed/corrections", 422, typed={"email": "nowhere"}),
    Sight("correcting.attendee", "confirmed/attendees/0/correction"),
    Sight("correcting.own", "place/correction"),
    Sight("addresses.asked", "address"),
    Sight("answering.shown", "place/answers"),
    Sight("answering.save", "place/answers", 422, typed={"answer-travel": "By balloon"}),
    Sight("changes.cancelling", "confirmed/cancellation"),
    Sight("changes.cancelling", "confirmed/cancellation?attendee=0&attendee=1"),
    Sight("changes.transferring", "confirmed/transfer?attendee=0"),
    Sight("changes.substituting", "confirmed/attendees/0/substitution"),
    Sight("changes.transferring", "confirmed/transfer", 404),
    Sight("changes.transfer", "confirmed/transfer", 422, typed={"attendee": "0"}),
    Sight("credits.statement", "credit"),
    Sight("credits.ended", "/credits/ended"),
    Sight("waiting.new", "/workshops/tour-waited/waiting"),
    Sight("waiting.join", "/workshops/tour-waited/waiting", 422, typed={"email": "nowhere", "places": "many"}),
    Sight("waiting.asked", "/workshops/tour-waited/waiting/asked"),
    Sight("waiting.left", "/waiting/left"),
    Sight("waiting.shown", "waiting-passed"),
    Sight("waiting.shown", "waiting-offered"),
    Sight("waiting.shown", "waiting-booked", 410),
    Sight("waiting.wish", "waiting-passed/wish", 422, typed={"places": "many"}),
    Sight("waiting.accept", "waiting-offered/acceptance", 422, typed={"number": "9"}),
    Sight("waiting.accept", "waiting-booked/acceptance", 410, typed={}),
    Sight("waiting.accept", "waiting-waits/acceptance", 409, typed={}),
    Sight("bookings.new", "booking-an-offer"),
    Sight("places.place", "place"),
    Sight("places.place", "watching-place"),
    Sight("places.place", "gone"),
    Sight("joining.door", "early"),
    Sight("joining.go", "early", 403, typed={}),
    Sight("joining.door", "open"),
    Sight("recordings.player", "recording"),
    Sight("recordings.player", "recording-closed", 403),
]
REFUSALS = [
    Sight("400", "/sign-in", 400, typed={"csrf_token": "wrong", "email": "a@post.example"}),
    Sight("404", "/nowhere", 404),
    Sight("404", f"{DESK}/", 404, who=("other_owner", "attendee")),
    Sight("404", f"{DESK}/codes", 404, who=("presenter",)),
    Sight("405", "/sign-out", 405),
    Sight("413", "/links", 413, typed={"email": "x" * 600_000}),
    # Each of the two web processes counts for itself.
    Sight("429", "/links", 429, typed={"email": "often@post.example"}, times=11),
]
BACK_OFFICE = [
    Sight("organise.board", f"{DESK}/", who=("owner", "manager", "presenter")),
    Sight("organise.board", "/organise/harbour-row/", who=("other_owner",)),
    Sight("organise.courses", f"{DESK}/courses", who=("owner", "presenter")),
    Sight("organise.new_course", f"{DESK}/courses/new", who=OWNER),
    Sight("organise.make_course", f"{DESK}/courses", 422, typed={}, who=OWNER),
    Sight("organise.course", f"{DESK}/courses/tour", who=OWNER),
    Sight("organise_codes.listed", f"{DESK}/codes", who=OWNER),
    Sight("organise_codes.new", f"{DESK}/codes/new", who=OWNER),
    Sight("organise_codes.code", f"{DESK}/codes/T0UR10", who=OWNER),
    Sight("organise_codes.make", f"{DESK}/codes", 422, typed={"percent": "101"}, who=OWNER),
    Sight("organise_policies.listed", f"{DESK}/policies", who=OWNER),
    Sight("organise_policies.choose", f"{DESK}/policies/new", who=OWNER),
    Sight("organise_policies.new", f"{DESK}/policies/new/graded_30_14", who=OWNER),
    Sight("organise_policies.new", f"{DESK}/policies/new/text", who=OWNER),
    Sight("organise_policies.make", f"{DESK}/policies/new/days_7_3", 422, typed={"far": "many"}, who=OWNER),
    Sight("organise_policies.make", f"{DESK}/policies/new/text", 422, typed={"text": "rules: [{}, 5]"}, who=OWNER),
    Sight(
        "organise_policies.preview_new",
        f"{DESK}/policies/new/text/preview",
        typed={"name": "New", "text": "rules: [{action: cancel, refund_pct: 10}]"},
        who=OWNER,
    ),
    Sight("organise_policies.shown", "desk-policy", who=OWNER),
    Sight("organise_policies.edit", "desk-policy/graded_30_14", who=OWNER),
    Sight("organise_policies.edit", "desk-policy/text", who=OWNER),
    Sight("organise_newsletter.shown", f"{DESK}/newsletter", who=OWNER),
    Sight("organise_newsletter.new", f"{DESK}/newsletter/new", who=OWNER),
    Sight("organise_newsletter.edit", f"{DESK}/newsletter/home", who=OWNER),
    Sight("organise_newsletter.make", f"{DESK}/newsletter", 422, typed={"percent": "101"}, who=OWNER),
    Sight("organise_proofs.shown", f"{OWN}/proofs", who=OWNER),
    Sight("organise_behalf.ending", "desk-booking/cancellation", who=OWNER),
    Sight("organise_behalf.ending", "desk-booking/cancellation?case=provider_cancel", who=OWNER),
    Sight("organise_behalf.end", "desk-booking/cancellation", 422, typed={"attendee": "0"}, who=OWNER),
    Sight("organise_behalf.passing_on", "desk-booking/attendees/0/substitution", who=OWNER),
    Sight("organise_behalf.pass_on", "desk-booking/attendees/0/substitution", 422, typed={"email": "no"}, who=OWNER),
    Sight("organise_behalf.moving", "desk-booking/attendees/0/transfer", who=OWNER),
    Sight("organise_behalf.move", "desk-booking/attendees/0/transfer", 422, typed={"way": "other"}, who=OWNER),
    Sight("organise_money.give_back", "desk-booking/refunds", 422, typed={"amount": "much"}, who=OWNER),
    Sight("organise_invoices.listed", f"{DESK}/invoices", who=OWNER),
    Sight("organise_invoices.settings", f"{DESK}/invoices/settings", who=OWNER),
    Sight("organise_invoices.save_settings", f"{DESK}/invoices/settings", 422, typed={"vat_mode": "x"}, who=OWNER),
    Sight("organise_invoices.invoice", "desk-invoice", who=OWNER),
    Sight("organise_invoices.receive", "desk-invoice/payments", 422, typed={"amount": "much"}, who=OWNER),
    Sight("organise_workshops.new", f"{DESK}/workshops/new", who=OWNER),
    Sight("organise_workshops.make", f"{DESK}/workshops/", 422, typed={"day": "never"}, who=OWNER),
    Sight("organise_workshops.shown", OWN, who=("owner", "presenter")),
    Sight("organise_workshops.shown", f"{DESK}/workshops/tour-draft", who=OWNER),
    Sight("organise_workshops.shown", f"{DESK}/workshops/tour-cancelled", who=OWNER),
    Sight("organise_workshops.publish", f"{DESK}/workshops/tour-draft/publish", 409, typed={}, who=OWNER),
    Sight("organise_workshops.delete", f"{OWN}/delete", 409, typed={}, who=OWNER),
    Sight("organise_workshops.edit", f"{OWN}/edit", who=OWNER),
    Sight(
        "organise_workshops.change", f"{OWN}/edit", 422, typed={"cpd_minutes": "many", "reminders": "never"}, who=OWNER
    ),
    Sight("organise_dates.shown", f"{OWN}/schedule", who=OWNER),
    Sight("organise_dates.shown", f"{DESK}/workshops/tour-draft/schedule", who=OWNER),
    Sight("organise_dates.save", f"{OWN}/schedule", 422, typed={"zone": "Atlantis"}, who=OWNER),
    Sight("organise_dates.moved", f"{OWN}/sessions/1/move", who=OWNER),
    Sight("organise_dates.moved", f"{OWN}/sessions/1/move?day=2027-06-01&starts=09:00&ends=12:00", who=OWNER),
    Sight("organise_dates.moved", f"{OWN}/sessions/1/move?day=never", 422, who=OWNER),
    Sight("organise_dates.session_cancelling", f"{OWN}/sessions/2/cancel", who=OWNER),
    Sight("organise_dates.cancelling", f"{OWN}/cancel", who=OWNER),
    Sight("organise_dates.cancel", f"{OWN}/cancel", 422, typed={}, who=OWNER),
    Sight("organise_tickets.shown", f"{OWN}/tickets", who=OWNER),
    Sight("organise_tickets.new", f"{OWN}/tickets/new", who=OWNER),
    Sight("organise_tickets.make", f"{OWN}/tickets", 422, typed={"prices-0-amount": "much"}, who=OWNER),
    Sight("organise_tickets.edit", f"{OWN}/tickets/evening", who=OWNER),
    Sight("organise_tickets.new_question", f"{OWN}/questions/new", who=OWNER),
    Sight("organise_tickets.question", f"{OWN}/questions/travel", who=OWNER),
    Sight("organise_tickets.make_question", f"{OWN}/questions", 422, typed={}, who=OWNER),
    Sight("organise_tickets.make_pool", f"{OWN}/pools", 422, typed={}, who=OWNER),
    Sight("organise_meetings.shown", f"{OWN}/sessions/1/meeting", who=OWNER),
    Sight("organise_meetings.save", f"{OWN}/sessions/1/meeting", 422, typed={"url": "nowhere"}, who=OWNER),
    Sight("organise_people.people", f"{OWN}/people", who=("owner", "presenter")),
    Sight("organise_people.bookings", f"{DESK}/bookings", who=OWNER),
    Sight("organise_people.bookings", f"{DESK}/bookings?q=nobody-of-that-name", who=OWNER),
    Sight("organise_people.booking", "desk-booking", who=OWNER),
    Sight("organise_people.booking", "desk-held", who=OWNER),
    Sight("organise_people.booking", "desk-in-parts", who=OWNER),
    Sight("organise_plans.listed", f"{DESK}/instalments", who=OWNER),
    Sight("organise_plans.paying", "desk-in-parts/instalments", who=OWNER),
    Sight("organise_plans.receive", "desk-in-parts/instalments", 422, typed={"amount": "much"}, who=OWNER),
    Sight("organise_tickets.edit", f"{OWN}/tickets/parts", who=OWNER),
    Sight("organise_acts.correct", "desk-booking/attendees/0/correction", 422, typed={"email": "nowhere"}, who=OWNER),
    Sight("organise_people.letter", "desk-letter", who=OWNER),
    Sight("organise_acts.new_place", f"{OWN}/people/new", who=OWNER),
    Sight("organise_acts.give_place", f"{OWN}/people", 422, typed={"email": "nowhere"}, who=OWNER),
    Sight("organise_bundles.listed", f"{DESK}/bundles", who=OWNER),
    Sight("organise_bundles.new", f"{DESK}/bundles/new", who=OWNER),
    Sight("organise_bundles.make", f"{DESK}/bundles", 422, typed={"prices-0-currency": "XXX"}, who=OWNER),
    Sight("organise_bundles.edit", f"{DESK}/bundles/autumn-2024-three", who=OWNER),
    Sight("organise_people.team", f"{DESK}/team", who=OWNER),
    Sight("organise_people.invite", f"{DESK}/team", 422, typed={"email": "nowhere", "role": "manager"}, who=OWNER),
    Sight("organise_waiting.shown", "desk-waiting", who=OWNER),
    Sight("organise_waiting.shown", f"{OWN}/waiting", who=OWNER),
    Sight("organise_waiting.save_settings", "desk-waiting/settings", 422, typed={"waiting_hours": "many"}, who=OWNER),
    Sight("organise_waiting.offer", "desk-waiting-offer", 409, typed={}, who=OWNER),
    Sight("organise_recordings.board", "recorded-desk/recordings", who=OWNER),
    Sight("organise_recordings.board", f"{OWN}/recordings", who=OWNER),
    Sight("organise_papers.papers", f"{DESK}/papers", who=OWNER),
    Sight("organise_papers.paper", f"{DESK}/papers/terms", who=OWNER),
    Sight("organise_papers.write", f"{DESK}/papers/terms", 422, typed={}, who=OWNER),
    Sight(
        "organise_papers.preview",
        f"{DESK}/papers/terms/preview",
        typed={"text": "# Ours\n\n## A part\n\n* one"},
        who=OWNER,
    ),
    Sight("organise_settings.settings", f"{DESK}/settings", who=OWNER),
    Sight("organise_settings.save", f"{DESK}/settings/words", 422, typed={"colour": "pink"}, who=OWNER),
]
