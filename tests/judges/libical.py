"""What libical, the reader behind Thunderbird's relatives and Evolution, says about a calendar.

Its bindings belong to the system's Python (Debian: gir1.2-ical-3.0 and python3-gi), so it judges in a process of its
own: this file is both that program and the function that runs it.
"""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

PYTHON = "/usr/bin/python3"
INSTALL = "apt-get install -y --no-install-recommends gir1.2-ical-3.0 python3-gi"


def judge(calendar: bytes) -> dict[str, Any]:
    """Read it: `well_formed`, `restrictions` (RFC 5545 and 5546 by method), `errors`, and `events` with their instants.

    Raises AssertionError with what to install when libical cannot be had.
    """
    done = subprocess.run(
        [PYTHON, "-I", str(Path(__file__).resolve())], input=calendar, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"libical could not be asked. As root, type: {INSTALL}\n{done.stderr.decode()}"
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _read(text: str) -> dict[str, Any]:
    import_module("gi").require_version("ICalGLib", "3.0")  # only the system's Python has it
    library = import_module("gi.repository.ICalGLib")
    component = library.Parser.parse_string(text) if text.strip() else None
    if component is None or component.isa() != library.ComponentKind.VCALENDAR_COMPONENT:
        return {"well_formed": False, "restrictions": False, "errors": ["not a calendar"], "events": []}
    restrictions = bool(library.restriction_check(component))
    errors = _errors(library, component)
    events = []
    event = component.get_first_component(library.ComponentKind.VEVENT_COMPONENT)
    while event:
        events.append(
            {
                "uid": event.get_uid(),
                "summary": event.get_summary(),
                "starts_at": event.get_dtstart().as_ical_string(),
                "ends_at": event.get_dtend().as_ical_string(),
                "is_utc": bool(event.get_dtstart().is_utc() and event.get_dtend().is_utc()),
                "sequence": event.get_sequence(),
                "attendees": event.count_properties(library.PropertyKind.ATTENDEE_PROPERTY),
            }
        )
        event = component.get_next_component(library.ComponentKind.VEVENT_COMPONENT)
    return {"well_formed": True, "restrictions": restrictions, "errors": errors, "events": events}


def _errors(library: Any, component: Any) -> list[str]:
    """Every X-LIC-ERROR that parsing or checking left, at any depth."""
    found = []
    error = component.get_first_property(library.PropertyKind.XLICERROR_PROPERTY)
    while error:
        found.append(error.get_xlicerror())
        error = component.get_next_property(library.PropertyKind.XLICERROR_PROPERTY)
    part = component.get_first_component(library.ComponentKind.ANY_COMPONENT)
    parts = []
    while part:
        parts.append(part)
        part = component.get_next_component(library.ComponentKind.ANY_COMPONENT)
    return found + [error for part in parts for error in _errors(library, part)]


if __name__ == "__main__":
    json.dump(_read(sys.stdin.buffer.read().decode("utf-8")), sys.stdout)
