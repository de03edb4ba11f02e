"""Values of every letter, as the rooms that post them give them."""

from typing import Any

LINE = "Friday 14 March 2025, 10:00–16:00 GMT (London) / 11:00–17:00 CET (Paris) / 06:00–12:00 EDT (New York)"
LATER = "Friday 21 March 2025, 10:00–16:00 GMT (London) / 11:00–17:00 CET (Paris) / 06:00–12:00 EDT (New York)"
SESSIONS = [
    {"title": "What the body says", "line": LINE, "lines": []},
    {"title": "What it keeps", "line": LATER, "lines": []},
]
_BOOKING = {
    "name": "Ines Carraway",
    "reference": "CQ-7K2M-4D",
    "booking_url": "https://colloquy.example/bookings/CQ-7K2M-4D?key=abc&from=letter",
    "workshop_title": "Bodies & Minds",
    "organiser_name": "Sea Street CPD",
}
_ONCE = {"once_url": "https://colloquy.example/sign-in/abc", "until": "Tuesday 2 March 2027, 09:20 GMT (London)"}
_CANCELLED = {
    "name": "Ines Carraway",
    "workshop_title": "Bodies & Minds",
    "heading": "Bodies & Minds is cancelled",
    "place_url": "https://colloquy.example/places/7-abc",
    "organiser_name": "Sea Street CPD",
}

VALUES: dict[str, dict[str, Any]] = {
    "confirmed": {
        "name": "Ines Carraway",
        "booker_name": "Bea Booker",
        "workshop_title": "Bodies & Minds",
        "presenters": ["Dr Marsh", "Olu Adeyemi"],
        "format_words": "Live online, with a recording",
        "sessions": SESSIONS,
        "own": {"day": "Friday 14 March 2025", "clock": "10:00–16:00", "label": "GMT", "city": "London"},
        "session_count": 2,
        "place_url": "https://colloquy.example/places/7-abc",
        "join_url": "https://colloquy.example/join/7-abc",
        "reference": "CQ-7K2M-4D",
        "catch_up": "The recording opens on Monday and stays for 28 days",
        "organiser_name": "Sea Street CPD",
        "organiser_address": "4 Invented Row, Brighton",
        "meeting_note": "The joining link is on your place's page a day before.",
        "shared_address": True,
    },
    "catch_up_booked": {
        "name": "Ines Carraway",
        "booker_name": "Bea Booker",
        "workshop_title": "Bodies & Minds",
        "presenters": ["Dr Marsh", "Olu Adeyemi"],
        "sessions": SESSIONS,
        "closes": "Monday 14 April 2025, 12:00 BST (London)",
        "closes_own": "Monday 14 April 2025, 07:00 EDT (New York)",
        "awaited": "The rest is not published yet. We write to you when it can be watched.",
        "left_out": "Practice in threes was not recorded",
        "place_url": "https://colloquy.example/places/7-abc",
        "reference": "CQ-7K2M-4D",
        "organiser_name": "Sea Street CPD",
        "organiser_address": "4 Invented Row, Brighton",
        "shared_address": True,
    },
    "session_invite": {
        "name": "Ines Carraway",
        "workshop_title": "Bodies & Minds",
        "session": SESSIONS[1],
        "number": 2,
        "session_count": 2,
        "place_url": "https://colloquy.example/places/7-abc",
        "organiser_name": "Sea Street CPD",
    },
    "reminder": {
        "name": "Ines Carraway",
        "workshop_title": "Bodies & Minds",
        "session": SESSIONS[1],
        "own": {"day": "Friday 21 March 2025", "clock": "10:00–16:00", "label": "GMT", "city": "London"},
        "number": 2,
        "session_count": 2,
        "opens_minutes": 30,
        "join_url": "https://colloquy.example/join/7-abc",
        "place_url": "https://colloquy.example/places/7-abc",
        "venue": "The Old Library, 4 Mill Lane, Leeds",
        "recorded": "This session is recorded. Practice in pairs is not.",
        "organiser_name": "Sea Street CPD",
        "organiser_email": "bookings@sea-street.example",
    },
    "join_link": {
        "name": "Ines Carraway",
        "workshop_title": "Bodies & Minds",
        "sessions": SESSIONS,
        "own": {"day": "Friday 14 March 2025", "clock": "10:00–16:00", "label": "GMT", "city": "London"},
        "join_url": "https://colloquy.example/join/7-abc",
        "place_url": "https://colloquy.example/places/7-abc",
        "organiser_name": "Sea Street CPD",
        "organiser_email": "bookings@sea-street.example",
        "organiser_phone": "01273 496 000",
    },
    "moved": {
        "name": "Ines Carraway",
        "workshop_title": "Bodies & Minds",
        "own": {"day": "Friday 21 March 2025", "clock": "10:00–16:00", "label": "GMT", "city": "London"},
        "session": SESSIONS[1],
        "old_line": LINE,
        "place_url": "https://colloquy.example/places/7-abc",
        "organiser_name": "Sea Street CPD",
    },
    "workshop_cancelled": {**_CANCELLED, "why": "Dr Marsh is ill", "sessions": SESSIONS, "is_over": True},
    "session_cancelled": {**_CANCELLED, "sessions": [LATER]},
    "cancelled_booking": {
        **_BOOKING,
        "amount": "£218.00",
        "why": "Dr Marsh is ill",
        "attendees": ["Ines Carraway", "Tom Adeyemi-Holt"],
        "workshops_url": "https://colloquy.example/workshops",
        "is_paid": True,
    },
    "recording_ready": {
        "name": "Ines Carraway",
        "workshop_title": "Bodies & Minds",
        "organiser_name": "Sea Street CPD",
        "session_words": "Session 1 of 2",
        "line": LINE,
        "opens": "Monday 17 March 2025, 12:00 GMT (London)",
        "closes": "Monday 14 April 2025, 12:00 BST (London)",
        "closes_own": "Monday 14 April 2025, 07:00 EDT (New York)",
        "left_out": "Practice in threes was not recorded",
        "recording_url": "https://colloquy.example/recordings/7.3-abc",
        "place_url": "https://colloquy.example/places/7-abc",
    },
    "receipt": {
        **_BOOKING,
        "lines": [{"text": "Self-funded, 2 at £109.00", "amount": "£218.00"}],
        "total": "£218.00",
        "paid_by": "card",
        "attendees": ["Ines Carraway", "Tom Adeyemi-Holt"],
        "gets": "the way in",
        "sessions": SESSIONS,
        "organiser_address": "4 Invented Row, Brighton",
    },
    "awaiting_bank": {**_BOOKING, "total": "£218.00", "keeps_places": False},
    "sent_back": {**_BOOKING, "amount": "£85.00", "is_all": False},
    "payment_failed": {**_BOOKING, "total": "£218.00"},
    "refunded_late": {
        **_BOOKING,
        "amount": "£218.00",
        "why": "The last place went before your payment came.",
        "workshop_url": "https://colloquy.example/workshops/bodies",
    },
    "place_elsewhere": {
        "workshop_title": "Bodies & Minds",
        "line": SESSIONS[0]["line"],
        "workshop_url": "https://colloquy.example/workshops/bodies",
        "organiser_name": "Sea Street CPD",
    },
    "organiser_notice": {
        "title": "A payment came too late",
        "sentences": ["Bea paid after the hold lapsed.", "All of it went back."],
        "reference": "CQ-7K2M-4D",
        "organiser_name": "Sea Street CPD",
    },
    "my_links": {
        "name": "Ines Carraway",
        "places": [{"title": "Bodies & Minds", "line": LINE, "url": "https://colloquy.example/places/7-abc"}],
        "bookings": [
            {"reference": "CQ-7K2M-4D", "title": "Bodies & Minds", "url": "https://colloquy.example/bookings/CQ?key=a"}
        ],
    },
    "newsletter_confirm": {
        "confirm_url": "https://colloquy.example/newsletter/confirm/7-abc",
        "percent": 20,
        "organiser_name": "Sea Street CPD",
        "organiser_address": "4 Invented Row, Brighton",
    },
    "newsletter_welcome": {
        "code": "HELLO-7K2M4D",
        "percent": 20,
        "until": "Friday 31 December 2027, 23:59 GMT (London)",
        "workshops_url": "https://colloquy.example/workshops",
        "unsubscribe_url": "https://colloquy.example/newsletter/unsubscribe/7-abc",
        "organiser_name": "Sea Street CPD",
        "organiser_address": "4 Invented Row, Brighton",
    },
    "sign_in": _ONCE,
    "password": _ONCE,
    "invitation": {**_ONCE, "organiser_name": "Sea Street CPD", "role_words": "an owner", "may_words": "do all"},
}


def values_of(template: str, **changes: Any) -> dict[str, Any]:
    return {"subject": f"Letter {template}", **VALUES[template], **changes}
