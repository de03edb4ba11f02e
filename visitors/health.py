"""Alive, ready, and figures: for machines that look after this one."""

import hmac

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, abort, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from accounts import open_to
from bookings.models import Booking
from lib import clock, db, settings
from lib.work import Job
from mail.models import Letter

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@open_to.anyone
def healthz() -> tuple[str, int, dict[str, str]]:
    return "alive\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/readyz")
@open_to.anyone
def readyz() -> tuple[str, int, dict[str, str]]:
    """Ready when the database answers and every migration has run."""
    plain = {"Content-Type": "text/plain; charset=utf-8"}
    try:
        done = set(MigrationContext.configure(db.session.connection()).get_current_heads())
    except SQLAlchemyError:
        return "the database does not answer\n", 503, plain
    if done != set(ScriptDirectory(str(settings.ROOT / "migrations")).get_heads()):
        return "migrations are missing: run flask db upgrade\n", 503, plain
    return "ready\n", 200, plain


@bp.get("/metrics")
@open_to.anyone
def metrics() -> Response:
    """Figures for a scraper on this machine or with METRICS_TOKEN; 404 for anybody else."""
    if not _may_see_figures():
        abort(404)
    registry = CollectorRegistry()
    _gauge(registry, "colloquy_bookings", "Bookings by state", "state", _by(Booking.state))
    _gauge(registry, "colloquy_letters", "Letters by state", "state", _by(Letter.state))
    overdue = db.session.scalar(
        select(func.count()).select_from(Job).where(Job.ended_at.is_(None), Job.due_at <= clock.now())
    )
    dead = db.session.scalar(select(func.count()).select_from(Job).where(Job.is_dead))
    _gauge(
        registry, "colloquy_jobs", "Jobs due now and jobs given up", "state", {"due": overdue or 0, "dead": dead or 0}
    )
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_see_figures() -> bool:
    token = current_app.config["METRICS_TOKEN"]
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    # Behind a proxy on this machine everybody seems to come from it; the proxy says so itself.
    is_direct = not {"X-Forwarded-For", "Forwarded", "X-Real-Ip"} & set(request.headers.keys())
    return is_direct and request.remote_addr in ("127.0.0.1", "::1")


def _by(column: InstrumentedAttribute[str]) -> dict[str, int]:
    rows = db.session.execute(select(column, func.count()).group_by(column))
    return {state: number for state, number in rows}  # noqa: C416 - typed


def _gauge(registry: CollectorRegistry, name: str, text: str, label: str, values: dict[str, int]) -> None:
    gauge = Gauge(name, text, [label], registry=registry)
    for value, number in values.items():
        gauge.labels(value).set(number)
