"""What the worker does with a film that is in the store already: a copy of its own, and then it has arrived."""

from datetime import datetime

from lib import db, work
from recordings import storage, stored, uploads

CHANGED = "It was changed or removed in the store before it could be taken. Nothing was kept: please name it again."
UNREACHED = "The store could not copy it. Nothing was kept: please name it again later."


def copy(task: work.Task, now: datetime) -> None:
    """The object itself stays as it is, and whose it is may change or remove it."""
    upload_id, name = int(task.arguments["upload"]), str(task.arguments["object"])
    upload = db.session.get_one(uploads.Upload, upload_id)
    length, state = upload.length, upload.state
    db.session.rollback()
    if state != "arriving":
        return
    key, why = "", ""
    try:
        with work.held(task):
            key = storage.copy_of(name, length)
    except FileNotFoundError:
        why = CHANGED
    except OSError as problem:
        if task.attempts < work.MOST_ATTEMPTS:
            raise work.Later(repr(problem)) from problem
        why = UNREACHED
    with db.writing():
        upload = uploads.locked(upload_id)
        is_wanted = bool(key) and upload.state == "arriving"
        if is_wanted:
            upload.key = key
            uploads.arrived(upload, now)
        elif why:
            uploads.refuse(upload, why, now)
    if key and not is_wanted:
        storage.forget([key])


HANDLERS: work.Handlers = {stored.COPY: copy}
LONG = (stored.COPY,)
