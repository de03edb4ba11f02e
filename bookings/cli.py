"""Commands about bookings."""

import json
import sys

import click
from flask.cli import AppGroup

from bookings import audit
from lib import clock

group = AppGroup("bookings", help="Look after bookings.")


@group.command("audit")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of lines.")
def audit_command(as_json: bool) -> None:
    """Check that bookings, places, codes and money agree. Prints nothing and exits 0 when they do."""
    found = audit.faults(clock.now())
    if as_json:
        click.echo(json.dumps([{"about": fault.about, "what": fault.what} for fault in found]))
    else:
        for fault in found:
            click.echo(f"{fault.about}: {fault.what}")
    sys.exit(1 if found else 0)
