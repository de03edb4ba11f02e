"""A worker as a process of its own whose long jobs take their time: says what it does."""

import os
import time
from datetime import datetime

from flask import Flask

from lib import cli, db, work


def slow(_task: work.Task, _now: datetime) -> None:
    print("slow begun", flush=True)
    while not work.stopping.is_set():
        time.sleep(0.02)
    raise work.Stopped


def quick(_task: work.Task, _now: datetime) -> None:
    print("quick done", flush=True)


if __name__ == "__main__":
    app = Flask("lanes")
    app.config.update(SQLALCHEMY_DATABASE_URI=os.environ["DATABASE_URL"], COLLOQUY_DEMO="1")
    db.init_app(app)
    with app.app_context():
        cli.work_command({"slow": slow, "quick": quick}, long=("slow",)).main([], standalone_mode=False)
