"""Where the installation's settings come from, and which of them a command may not do without."""

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import click

ROOT = Path(__file__).resolve().parent.parent

NAMES = (
    "COLLOQUY_DEMO",
    "BASE_URL",
    "DATABASE_URL",
    "SECRET_KEY",
    "LINK_KEYS",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_API_BASE",
    "ZOOM_ADDRESS",
    "SMTP_URL",
    "MAIL_FROM",
    "METRICS_TOKEN",
    "LOG_LEVEL",
    "FILM_MOST_MB",
    "MEDIA_STORE",
    "MEDIA_ACCEL",
    "MEDIA_DIRECT",
    "S3_ENDPOINT",
    "S3_REGION",
    "S3_BUCKET",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
)
SERVING = (
    "BASE_URL",
    "DATABASE_URL",
    "SECRET_KEY",
    "LINK_KEYS",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
)
WORKING = ("BASE_URL", "DATABASE_URL", "LINK_KEYS", "STRIPE_SECRET_KEY", "SMTP_URL", "MAIL_FROM")

STRIPE_ADDRESS = "https://api.stripe.com"
ZOOM_ADDRESS = "https://zoom.us"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SettingsRefused(click.ClickException):
    """The installation cannot be started as it is set; the message says which setting and what to do.

    A command prints the message alone and exits 1.
    """


def instance_folder() -> Path:
    """The folder of this installation's own files: settings, database, clock."""
    return Path(os.environ.get("COLLOQUY_INSTANCE") or ROOT / "instance")


def read() -> dict[str, str]:
    """Read the settings: the environment first, then `instance/settings.env`, then nothing."""
    found = _read_file(instance_folder() / "settings.env")
    found.update({name: os.environ[name] for name in NAMES if os.environ.get(name)})
    return {name: found[name] for name in NAMES if found.get(name)}


def with_defaults(given: Mapping[str, str]) -> dict[str, str]:
    """Fill what is missing so that a command in an empty environment works.

    The keys made here are random and forgotten at exit, so they can sign nothing that must last; serving and
    working ask `missing()` first.
    """
    folder = instance_folder()
    return {
        "COLLOQUY_DEMO": "",
        "BASE_URL": "http://localhost:5000",
        "DATABASE_URL": f"sqlite:///{folder / 'colloquy.sqlite'}",
        "SECRET_KEY": secrets.token_urlsafe(32),
        "LINK_KEYS": secrets.token_urlsafe(32),
        "STRIPE_SECRET_KEY": "",
        "STRIPE_WEBHOOK_SECRET": "",
        "STRIPE_API_BASE": STRIPE_ADDRESS,
        "ZOOM_ADDRESS": ZOOM_ADDRESS,
        "SMTP_URL": "",
        "MAIL_FROM": "",
        "METRICS_TOKEN": "",
        "LOG_LEVEL": "INFO",
        "FILM_MOST_MB": "6144",
        "MEDIA_STORE": "folder",
        "MEDIA_ACCEL": "",
        "MEDIA_DIRECT": "",
        "S3_ENDPOINT": "",
        "S3_REGION": "us-east-1",
        "S3_BUCKET": "",
        "S3_ACCESS_KEY": "",
        "S3_SECRET_KEY": "",
        **given,
    }


def require(given: Mapping[str, str], names: Iterable[str], purpose: str) -> None:
    """Refuse to go on without `names`.

    Raises SettingsRefused with one sentence that names every missing setting.
    """
    missing = [name for name in names if not given.get(name)]
    if missing:
        raise SettingsRefused(
            f"{purpose} needs {', '.join(missing)}. Set {'it' if len(missing) == 1 else 'them'} in the "
            f"environment or in {instance_folder() / 'settings.env'}, or start the demo with `make run`."
        )


def check(settings: Mapping[str, str]) -> None:
    """Refuse combinations that would charge real cards by mistake or send cards' payments elsewhere.

    Raises SettingsRefused.
    """
    key = settings["STRIPE_SECRET_KEY"]
    if settings["COLLOQUY_DEMO"] == "1" and key and not key.startswith("sk_test_"):
        raise SettingsRefused("COLLOQUY_DEMO=1 takes only a test key of Stripe (sk_test_...). Nothing was started.")
    if settings["STRIPE_API_BASE"] != STRIPE_ADDRESS:
        host = urlsplit(settings["STRIPE_API_BASE"]).hostname
        if host not in LOOPBACK or not key.startswith("sk_test_"):
            raise SettingsRefused(
                "STRIPE_API_BASE may differ from Stripe's own address only on this machine and with a test key "
                "(sk_test_...). Nothing was started."
            )
    if settings["ZOOM_ADDRESS"] != ZOOM_ADDRESS and urlsplit(settings["ZOOM_ADDRESS"]).hostname not in LOOPBACK:
        raise SettingsRefused(
            "ZOOM_ADDRESS may differ from Zoom's own only on this machine: organisers' secrets are sent there. Nothing "
            "was started."
        )
    if urlsplit(settings["BASE_URL"]).scheme not in ("http", "https"):
        raise SettingsRefused("BASE_URL must begin with https:// (or http:// on this machine).")
    if not re.fullmatch(r"[1-9][0-9]{0,6}", settings["FILM_MOST_MB"]):
        raise SettingsRefused("FILM_MOST_MB is the size in MB that a film may have, such as 6144. Nothing was started.")
    _check_media(settings)


def _check_media(settings: Mapping[str, str]) -> None:
    store = settings["MEDIA_STORE"]
    if store not in ("folder", "s3"):
        raise SettingsRefused("MEDIA_STORE must be folder or s3.")
    if settings["MEDIA_ACCEL"] and not re.fullmatch(r"/[A-Za-z0-9_/-]*/", settings["MEDIA_ACCEL"]):
        raise SettingsRefused("MEDIA_ACCEL must begin and end with a slash, as in nginx's location: /_media/.")
    if settings["MEDIA_ACCEL"] and store != "folder":
        raise SettingsRefused("MEDIA_ACCEL lets nginx read the folder; it does not go with MEDIA_STORE=s3.")
    if settings["MEDIA_DIRECT"] == "1" and store != "s3":
        raise SettingsRefused("MEDIA_DIRECT=1 sends viewers to a store with an address; it needs MEDIA_STORE=s3.")
    if store == "s3":
        require(settings, ("S3_ENDPOINT", "S3_BUCKET"), "MEDIA_STORE=s3")
        endpoint = urlsplit(settings["S3_ENDPOINT"])
        is_ours = endpoint.scheme == "https" or endpoint.hostname in LOOPBACK
        if not is_ours or endpoint.scheme not in ("http", "https") or endpoint.path.strip("/"):
            raise SettingsRefused("S3_ENDPOINT must be an https:// address with no path (or http:// on this machine).")


def _read_file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}
