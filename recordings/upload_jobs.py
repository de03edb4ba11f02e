"""What the worker does with films on their way in: takes whole ones into the store, clears what nobody went on with."""

from datetime import datetime, timedelta

import structlog

from lib import clock, db, work
from recordings import arriving, storage, strays, uploads

SWEEP = "recordings.sweep_uploads"
SWEEP_STORE = "recordings.sweep_store"
STRAY_SECONDS = 24 * 60 * 60  # a file without a row may be one whose row is being written
STRAY_IN_STORE = timedelta(days=2)

log = structlog.get_logger()


def take_in(task: work.Task, now: datetime) -> None:
    """Move a film that is whole into the store, outside any transaction; then it has arrived.

    The store takes a second name of the file, so that it is still here when the worker dies before the row says so.
    """
    upload = db.session.get_one(uploads.Upload, int(task.arguments["upload"]))
    upload_id, name, length, state = upload.id, upload.name, upload.length, upload.state
    db.session.rollback()
    if state != "arriving":
        arriving.forget(name)
        return
    try:
        has = arriving.size(name)
    except FileNotFoundError as missing:
        raise work.Later("the film is not on this machine") from missing
    if has != length:
        raise work.Never(f"the film has {has} of its {length} bytes")
    with work.held(task):  # a store elsewhere takes its time
        key = storage.adopt(arriving.second_name(name))
    with db.writing():
        upload = uploads.locked(upload_id)
        is_wanted = upload.state == "arriving"
        if is_wanted:
            upload.key = key
            uploads.arrived(upload, now)
    if not is_wanted:
        storage.forget([key])
    arriving.forget(name)


def sweep(_task: work.Task, now: datetime) -> None:
    """Clear unfinished uploads whose days are over and files that no row names; take in what is whole and forgotten."""
    known = []
    for upload in uploads.all_arriving():
        upload_id, name, length, is_over = upload.id, upload.name, upload.length, uploads.is_over(upload, now)
        has = arriving.size(name) if arriving.path(name).exists() else 0
        if has == length:
            with db.writing():
                uploads.whole(upload_id, now)
        elif is_over:
            with db.writing():
                uploads.remove(uploads.locked(upload_id), by="worker", now=now)
            arriving.forget(name)
            continue
        known.append(name)
    for file in list(arriving.strays(known, clock.machine_now().timestamp() - STRAY_SECONDS)):
        file.unlink(missing_ok=True)


def sweep_store(task: work.Task, _now: datetime) -> None:
    """Remove what has been in the store for two days and no row names. A store that fails waits for tomorrow."""
    try:
        with work.held(task):
            found = strays.find(clock.machine_now() - STRAY_IN_STORE)
            db.session.rollback()
            storage.forget(found)
    except OSError as problem:
        log.warning("the store could not be looked through", error=str(problem))
        return
    if found:
        log.info("files that no row names were removed", number=len(found))


HANDLERS: work.Handlers = {uploads.TAKE_IN: take_in, SWEEP: sweep, SWEEP_STORE: sweep_store}
NIGHTLY = (SWEEP, SWEEP_STORE)
LONG = (uploads.TAKE_IN, SWEEP_STORE)
