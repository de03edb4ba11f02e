"""Which text of the terms a booking agrees to. A change of the text is a new version, never an edit."""

CURRENT = "2026-11-25"
