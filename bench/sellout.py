"""`python -m bench.sellout`: 400 buyers for 100 places, 8 and 32 at once, on SQLite and PostgreSQL.

Prints what was sold (must be the capacity), the answers of 5xx (must be none), bookings a second, waits and memory.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench import buyers, serving
from bookings import audit
from courses.models import Place
from lib import clock, db
from tests import postgres
from tests.builders import a_workshop, arranged

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Sale:
    """What came of one crowd. Waits in seconds, from sending the form to its answer, of those who bought."""

    sold: int
    refused: int
    others: dict[int, int]
    sold_seconds: float
    waits: list[float]
    whole: list[float]
    cpu_ms: dict[str, float]
    memory_mb: float
    faults: list[str]

    @property
    def errors(self) -> int:
        return sum(number for status, number in self.others.items() if status >= 500)


def sell_out(house: serving.House, *, crowd: int, places: int, at_once: int) -> Sale:
    """Let a crowd loose on a new workshop with so many places."""
    with house.app() as app, arranged(app):
        workshop = a_workshop(capacity=places)
        slug, pool = workshop.slug, workshop.pools[0].id
    groups = {name: house.group(name) for name in ("web", "stripe")}
    before = {name: serving.cpu_seconds(group) for name, group in groups.items()}
    told = _let_loose(house.port, slug, crowd, at_once)
    used = {name: serving.cpu_seconds(group) - before[name] for name, group in groups.items()}
    statuses = Counter({int(status): number for status, number in told["statuses"].items()})
    with house.app() as app, app.app_context():
        claimed = db.session.scalar(
            select(func.count()).select_from(Place).where(Place.pool_id == pool, Place.state != "released")
        )
        faults = [f"{fault.about}: {fault.what}" for fault in audit.faults(clock.now())]
    if claimed != statuses[303]:
        faults.append(f"{claimed} places are claimed, {statuses[303]} buyers were told that they have one")
    return Sale(
        sold=statuses[303],
        refused=statuses[409],
        others={status: number for status, number in statuses.items() if status not in (303, 409)},
        sold_seconds=told["sold_seconds"],
        waits=told["waits"],
        whole=told["whole"],
        cpu_ms={name: 1000 * seconds / max(statuses[303], 1) for name, seconds in used.items()},
        memory_mb=serving.memory_mb(groups["web"]),
        faults=faults,
    )


def _let_loose(port: int, slug: str, number: int, at_once: int) -> Any:
    command = [sys.executable, "-m", "bench.crowd", str(port), slug, str(number), str(at_once)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def main(arguments: Sequence[str]) -> int:
    rounds = int(arguments[0]) if arguments else 1
    is_sound = True
    print("400 buyers for 100 places; waits from sending the form to its answer")
    print(f"{'database':<11}{'at once':>8}{'sold':>6}{'5xx':>5}{'a second':>10}{'p50 ms':>8}{'p95 ms':>8}", end="")
    print(f"{'web CPU ms':>12}{'Stripe':>8}{'MB':>6}")
    with ExitStack() as stack:
        base = stack.enter_context(postgres.running())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="colloquy-bench-")))
        for kind in KINDS:
            url = stack.enter_context(serving.postgresql_database(base)) if kind == "postgresql" else ""
            with serving.running(folder / kind, database=url) as house:
                for at_once in [8, 32] * rounds:
                    sale = sell_out(house, crowd=400, places=100, at_once=at_once)
                    is_sound &= sale.sold == 100 and not sale.errors and not sale.faults
                    _tell(kind, at_once, sale)
    return 0 if is_sound else 1


def _tell(kind: str, at_once: int, sale: Sale) -> None:
    p50, p95 = (1000 * buyers.percentile(sale.waits, percent) for percent in (50, 95))
    rate = sale.sold / sale.sold_seconds if sale.sold_seconds else 0.0
    print(f"{kind:<11}{at_once:>8}{sale.sold:>6}{sale.errors:>5}{rate:>10.1f}{p50:>8.0f}{p95:>8.0f}", end="")
    print(f"{sale.cpu_ms['web']:>12.1f}{sale.cpu_ms['stripe']:>8.1f}{sale.memory_mb:>6.0f}", flush=True)
    if sale.others or sale.faults:
        print(f"  other answers: {sale.others}; faults: {sale.faults}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
