"""What the checkout may hold: locked requirements, no machine's own paths, no secret, a README that says how."""

import re
from collections.abc import Iterator

import pytest

from tests.house import source
from tests.house.source import ROOT, Sources

TEXT = (
    *(".py", ".html", ".css", ".js", ".svg", ".sh", ".mako"),
    *(".md", ".txt", ".in", ".toml", ".ini", ".yaml", ".yml", "run", "Makefile", "README"),
)
LOCKED = ("requirements.txt", "requirements-dev.txt")
MACHINE = re.compile(r"(?<![\w.])/(?:" + "|".join(("work", "home/\\w+", "Users/\\w+", "root")) + r")/[\w.]")
INDEX = re.compile(r"^\s*(?:-i|--index-url|--extra-index-url|--find-links|-f|--trusted-host)\b|https?://", re.MULTILINE)
SECRET = re.compile(r"\b(?:sk_live|rk_live|pk_live)_\w{8,}|\bwhsec_[A-Za-z0-9+/]{24,}|-----BEGIN [A-Z ]*PRIVATE KEY")


def machine_paths(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        yield from (f"{path}: {found.group()}..." for found in MACHINE.finditer(text))


def secrets(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        yield from (f"{path}: {found.group()[:12]}..." for found in SECRET.finditer(text))


def unlocked(path: str, text: str) -> Iterator[str]:
    said = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    yield from (f"{path}: {found.group()}" for found in INDEX.finditer(said))
    for requirement in re.split(r"\n(?=\S)", said.replace("\\\n", " ").strip()):
        if requirement and not re.match(r"[\w.\[\],-]+==\S+.*--hash=sha256:", requirement, re.DOTALL):
            yield f"{path}: {requirement[:60]!r} has no version or no hash"


def everything() -> Sources:
    return {path: text for suffix in TEXT for path, text in source.read(suffix=suffix).items()}


@pytest.mark.parametrize("path", LOCKED)
def test_requirements_are_locked_and_name_no_index(path: str) -> None:
    assert list(unlocked(path, (ROOT / path).read_text())) == []


@pytest.mark.parametrize(
    "text",
    [
        "--index-url https://mirror.example/simple\nflask==3.1.3 --hash=sha256:aa",
        "-i https://mirror.example/simple\nflask==3.1.3 --hash=sha256:aa",
        "flask==3.1.3",
        "flask>=3.1 --hash=sha256:aa",
        "flask @ https://mirror.example/flask.whl --hash=sha256:aa",
    ],
)
def test_what_is_not_locked_is_seen(text: str) -> None:
    assert list(unlocked("requirements.txt", text))


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    assert list(machine_paths(everything())) == []
    assert list(machine_paths({"x.py": "open('/" + "work/main/app.py')"}))
    assert not list(machine_paths({"x.py": "url = '/workshops/work/x' + 'https://x.example/home'"}))


def test_no_secret_is_kept() -> None:
    assert list(secrets(everything())) == []
    assert list(secrets({"x.py": "KEY = 'sk_" + "live_0123456789abcdef'"}))


def test_the_readme_names_the_two_commands_and_the_two_packages() -> None:
    said = (ROOT / "README.md").read_text(encoding="utf-8")

    needed = ("make run", "make test", "python3-venv", "apt-get install make")
    assert [word for word in needed if word not in said] == []


def test_what_an_installation_keeps_to_itself_is_ignored() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()

    assert {"instance/", ".venv/"} <= set(ignored)
