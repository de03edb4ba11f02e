"""`python -m demo.run.reset`: removes what the demo has gathered, keeps secrets and ports. Standard library only."""

import shutil
import sys

from demo.run import instance as instances
from demo.run.instance import OWN_DATABASE, Instance

GATHERED = (
    f"{OWN_DATABASE}*",
    "stripe.sqlite*",
    "mailbox",
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
            remove(instance)
            if settings:
                instances.write_settings(instance, settings)
    except instances.AlreadyRunning as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{instance.folder} holds no data any more. make run starts anew.")
    if database.startswith("postgresql"):
        print("The PostgreSQL database is not part of it and was left as it is; empty it before you use it again.")
    return 0


def remove(instance: Instance) -> None:
    for pattern in GATHERED:
        for path in instance.folder.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
