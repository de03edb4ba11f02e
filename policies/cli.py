"""`flask policies`: check policies written in a file."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import AppGroup

from policies import examples

group = AppGroup("policies", help="Look after policies.")


@group.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of lines.")
def check_command(file: Path, as_json: bool) -> None:
    """Work the examples of the policies in FILE (YAML or JSON). Exits 1 when one differs or a policy is refused.

    Needs no database and no secret. docs/policies.md describes the file.
    """
    try:
        found = examples.check(examples.load(file))
    except examples.FileRefused as problem:
        raise click.ClickException(str(problem)) from problem
    if as_json:
        click.echo(json.dumps({"agreed": found.agreed, **asdict(found)}))
    else:
        for line in (*found.faults, *found.differences):
            click.echo(line)
        for line in found.remarks:
            click.echo(f"Left open, as the policy itself admits: {line}")
        click.echo(f"{found.agreed} of {found.total}")
    sys.exit(0 if found.is_sound else 1)
