"""`python -m demo.run.reset`: removes what the demo has gathered, keeps secrets and ports. Standard library only."""

import shutil
import sys
from pathlib import Path

from demo.run import instance as instances
from demo.run.instance import OWN_DATABASE, Instance

GATHERED = (
    f"{OWN_DATABASE}*",
    "stripe.sqlite*",
    "mailbox",
    "media",
    "clock",
    "people*.json",
    "seeding*",
    "addresses.json",
    "log",
)


def main() -> int:
    instance = instances.here()
    if not instance.folder.exists():
        print("There is nothing to remove.")
        return 0
    try:
        with instances.held(instance):
            settings = instances.read_settings(instance)
            database = settings.pop("DATABASE_URL", instance.own_database)
            remove(instance, database)
            if settings:
                instances.write_settings(instance, settings)
    except instances.AlreadyRunning as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{instance.folder} holds no data any more. make run starts anew.")
    if (path := sqlite_file(database)) is None or path.exists():
        print("Its database is elsewhere and was left as it is; empty it before you use it again.")
    return 0


def remove(instance: Instance, database: str) -> None:
    gathered = list(GATHERED)
    path = sqlite_file(database)
    if path is not None and path.parent == instance.folder:
        gathered.append(f"{path.name}*")
    for pattern in gathered:
        for found in instance.folder.glob(pattern):
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found)
            else:
                found.unlink(missing_ok=True)


def sqlite_file(database: str) -> Path | None:
    """The file of an SQLite address, None for any other database."""
    path = database.removeprefix("sqlite:///")
    return Path(path) if path != database else None


if __name__ == "__main__":
    sys.exit(main())
