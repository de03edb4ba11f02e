"""Commands about bookings and their money."""

import json
import sys
from datetime import timedelta

import click
from flask.cli import AppGroup

from bookings import audit, jobs, money_letters
from lib import clock
from payments import gateway

group = AppGroup("bookings", help="Look after bookings.")
payments_group = AppGroup("payments", help="Look after money.")


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


@payments_group.command("reconcile")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of lines.")
@click.option("--days", default=30, show_default=True, help="How far back. Stripe lists events of 30 days.")
def reconcile_command(as_json: bool, days: int) -> None:
    """Compare payments, refunds and disputes with Stripe's lists.

    Repairs what hearing Stripe again repairs and names every difference. Exits 0 when none is left, 1 while any is,
    2 when Stripe does not answer.
    """
    try:
        done = jobs.reconcile(clock.now() - timedelta(days=days))
    except gateway.GatewayUnreachable as problem:
        click.echo(f"Stripe does not answer, so nothing could be compared: {problem}", err=True)
        sys.exit(2)
    both = [(each, True) for each in done.repaired] + [(each, False) for each in done.left]
    if as_json:
        told = [
            {
                "kind": each.kind,
                "id": each.id,
                "minor": each.minor,
                "currency": each.currency,
                "what": each.what,
                "repaired": is_repaired,
            }
            for each, is_repaired in both
        ]
        click.echo(json.dumps(told))
    else:
        for each, is_repaired in both:
            line = money_letters.line_of(each.kind, each.id, each.minor, each.currency, each.what)
            click.echo(f"{line} (repaired)" if is_repaired else line)
    sys.exit(1 if done.left else 0)
