"""`python -m demo.catalogue`: plant the demo's catalogue in an empty database."""

from datetime import datetime
from pathlib import Path

import click

from app import create_app
from demo.catalogue import people, plant
from lib import clock, db, settings


@click.command()
@click.option("--people", "path", type=click.Path(path_type=Path), help="Where to tell the addresses and passwords.")
@click.option("--now", "instant", help="The moment dates are counted from: 2026-11-18T11:59:59Z.")
@click.option("--rooms", help="Where online sessions meet: http://localhost:PORT/room.")
def main(path: Path | None, instant: str | None, rooms: str | None) -> None:
    """Plant the sample catalogue: organisers, people, courses with past and coming dates. Only for the demo."""
    try:
        app = create_app()
        if app.config["COLLOQUY_DEMO"] != "1":
            raise click.ClickException("The sample catalogue is only for the demo: set COLLOQUY_DEMO=1.")
        with app.app_context():
            _plant(path, _now(instant), rooms)
    except (settings.SettingsRefused, plant.AlreadyPlanted, ValueError) as problem:
        raise click.ClickException(str(problem)) from problem


def _plant(path: Path | None, now: datetime, rooms: str | None) -> None:
    plant.refuse_if_planted()
    waiting = people.prepare(path) if path else None
    cast = people.make()
    try:
        with db.writing():
            plant.plant(cast, now, rooms)
    except BaseException:
        if waiting:
            waiting.unlink()
        raise
    if path and waiting:
        people.write(waiting, path, cast)


def _now(instant: str | None) -> datetime:
    return clock.read(instant, clock.machine_now()) if instant else clock.now()


if __name__ == "__main__":
    main(prog_name="python -m demo.catalogue")
