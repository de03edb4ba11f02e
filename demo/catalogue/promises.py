"""The organisers' policies: made from templates, in every currency the demo sells in."""

from datetime import datetime
from typing import Any

from accounts.models import Organiser
from courses.models import Workshop
from demo.catalogue import read
from lib import db
from policies import templates, versions
from policies.models import Policy

CURRENCIES = ("GBP", "EUR", "USD", "AUD")


def write(organiser: Organiser, files: read.Files, now: datetime) -> dict[str, Policy]:
    """Keep each policy the files name, by its key there; the first becomes the default."""
    return {
        key: versions.write(
            organiser.id,
            promised.name,
            templates.by_key(promised.template).data(organiser.zone, *CURRENCIES),
            actor="demo",
            now=now,
        )
        for key, promised in files.promises.items()
    }


def frozen(workshop: Workshop) -> dict[str, Any]:
    """What a booking of this workshop keeps."""
    own = db.session.get_one(Policy, workshop.policy_id) if workshop.policy_id else None
    policy = own or versions.default(workshop.organiser_id)
    return versions.snapshot(policy) if policy else {}
