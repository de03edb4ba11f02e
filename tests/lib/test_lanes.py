"""What takes long is done beside the rest, and lets go when the worker is asked to stop."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from lib import db, settings, work


@pytest.mark.both_databases
def test_a_letter_does_not_wait_for_a_film(app: Flask) -> None:
    environment = {**os.environ, "DATABASE_URL": str(app.config["DATABASE_URL"]), "PYTHONPATH": str(settings.ROOT)}
    command = [sys.executable, "-m", "tests.lib.lanes"]
    post(app, "slow")
    with subprocess.Popen(command, cwd=settings.ROOT, env=environment, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "slow begun\n"
        post(app, "quick")
        assert worker.stdout.readline() == "quick done\n"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    with app.app_context():
        told = db.session.scalars(select(work.Job).where(work.Job.kind == "slow")).one()
        assert (told.ended_at, told.is_dead, told.lease_until) == (None, False, None)


def post(app: Flask, kind: str) -> None:
    with app.app_context(), db.writing():
        work.post(kind, "a:1", datetime.now(UTC) - timedelta(minutes=1))
