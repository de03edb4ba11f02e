"""A worker as a process of its own, to be killed in mid-job: says `begun` and then takes its time."""

import os
import time
from datetime import datetime

from flask import Flask

from lib import db, work


def linger(_task: work.Task, _now: datetime) -> None:
    print("begun", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    app = Flask("worker")
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    db.init_app(app)
    with app.app_context():
        work.run_due({"test": linger})
