"""The people the demo can sign in as, and the file that tells their passwords."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher

CAST = {
    "owner": ("Ines Calder", "ines.calder@sea-street.example"),
    "manager": ("Tom Adeyemi-Holt", "tom.adeyemi-holt@sea-street.example"),
    "presenter": ("Marin Fabrica", "marin.fabrica@sea-street.example"),
    "other_owner": ("Niamh Corrigane", "niamh.corrigane@harbour-row.example"),
    "attendee": ("Leonie Marsh", "leonie.marsh@post.example"),
}


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in; `password` is told once, in the file."""

    name: str
    email: str
    password: str
    password_hash: str


def make() -> dict[str, Person]:
    """The cast by role with new random passwords. Hashing takes its time: call it before any lock is taken."""
    hasher = PasswordHasher()
    people = {}
    for role, (name, email) in CAST.items():
        password = secrets.token_urlsafe(12)
        people[role] = Person(name, email, password, hasher.hash(password))
    return people


def prepare(path: Path) -> Path:
    """An empty file beside `path` that only its owner can read. Raises OSError where none can be made."""
    waiting = path.with_name(f"{path.name}.new")
    waiting.unlink(missing_ok=True)
    os.close(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return waiting


def write(waiting: Path, path: Path, people: Mapping[str, Person]) -> None:
    """Tell the passwords in the prepared file and give it its name, whole."""
    told = {role: {"email": person.email, "password": person.password} for role, person in people.items()}
    waiting.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    waiting.replace(path)
