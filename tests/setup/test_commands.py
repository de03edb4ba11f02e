"""The Makefile and the scripts under deploy/: what they hand on, and what they say where something is missing."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MAKE = shutil.which("make") or "make"


@pytest.fixture
def bare(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """A PATH with a shell and the given programs, and nothing else."""

    def environment(**programs: str) -> dict[str, str]:
        for name in ("sh", "env"):
            (tmp_path / name).symlink_to(shutil.which(name) or name)
        for name, text in programs.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
        return {"PATH": str(tmp_path)}

    return environment


def find_python(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "deploy" / "python.sh"), "-c", "print('found')"]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


class TestFindingPython:
    def test_takes_the_first_that_will_do(self, bare: Callable[..., dict[str, str]]) -> None:
        found = find_python(bare(python3="exit 1", **{"python3.12": f'exec {sys.executable} "$@"'}))
        assert (found.returncode, found.stdout) == (0, "found\n")

    def test_says_what_to_type_without_venv(self, bare: Callable[..., dict[str, str]]) -> None:
        lacking = f'case "$2" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"'
        found = find_python(bare(python3=lacking))
        assert found.returncode == 1
        assert found.stderr.count("\n") == 1
        assert "apt-get install -y python3-venv" in found.stderr

    def test_says_what_to_type_when_python_is_too_old(self, bare: Callable[..., dict[str, str]]) -> None:
        found = find_python(bare(python3='[ "$1" = --version ] && echo Python 3.9.2 && exit 0; exit 1'))
        assert found.returncode == 1
        assert found.stderr.count("\n") == 1
        assert "Python 3.9.2" in found.stderr
        assert "apt-get install -y python3.11 python3.11-venv" in found.stderr

    def test_says_what_to_type_without_python(self, bare: Callable[..., dict[str, str]]) -> None:
        found = find_python(bare())
        assert found.returncode == 1
        assert "apt-get install -y python3 python3-venv" in found.stderr

    def test_takes_the_one_asked_for(self, bare: Callable[..., dict[str, str]]) -> None:
        environment = {**bare(python3="exit 1"), "PYTHON": sys.executable}
        assert find_python(environment).stdout == "found\n"


class TestMake:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A checkout whose programs only say what they were given."""
        shutil.copy(ROOT / "Makefile", tmp_path)
        for place, text in (
            ("deploy/python.sh", "exit 0"),
            (".venv/bin/python", 'printf "%s|%s|%s" "$DATABASE_URL" "$EMPTY" "$*"'),
        ):
            program = tmp_path / place
            program.parent.mkdir(parents=True)
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
        return tmp_path

    def run(self, folder: Path, *arguments: str, **environment: str) -> str:
        env = {"PATH": os.environ["PATH"], **environment}
        return subprocess.run(
            [MAKE, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True
        ).stdout

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://app:a$b$(x)${PATH}$$@127.0.0.1/app",
            "postgresql://app:it's\"odd`true`;|&<>#%20\\@127.0.0.1/app",
            "sqlite:////a place/with blanks.sqlite",
        ],
    )
    def test_hands_a_database_on_as_it_was_typed(self, folder: Path, url: str) -> None:
        assert self.run(folder, "run", f"DATABASE_URL={url}") == f"{url}||-m demo.run"
        assert self.run(folder, "run", DATABASE_URL=url) == f"{url}||-m demo.run"

    def test_hands_empty_on(self, folder: Path) -> None:
        assert self.run(folder, "run", "EMPTY=1") == "|1|-m demo.run"
        assert self.run(folder, "run") == "||-m demo.run"

    def test_lists_every_target(self, folder: Path) -> None:
        listed = self.run(folder)
        targets = [line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ": ##" in line]
        assert [line.split()[1] for line in listed.splitlines()] == targets
        assert {"run", "test", "check", "prove", "reset", "lock"} <= set(targets)


class TestEnvironment:
    @pytest.fixture
    def environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, list[list[str]]]:
        """deploy/environment.py for another folder, and the commands it would have run."""
        spec = importlib.util.spec_from_file_location("environment", ROOT / "deploy" / "environment.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        ran: list[list[str]] = []

        def succeeds(command: list[str], *_: object, **__: object) -> bool:
            ran.append(command)
            if "venv" in command:
                shutil.rmtree(module.FOLDER, ignore_errors=True)
                module.PYTHON.parent.mkdir(parents=True)
                module.PYTHON.symlink_to(sys.executable)
            return True

        monkeypatch.setattr(module, "FOLDER", tmp_path / ".venv")
        monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / "bin" / "python")
        monkeypatch.setattr(module, "_succeeds", succeeds)
        return module, ran

    def test_is_made_once(self, environment: tuple[ModuleType, list[list[str]]]) -> None:
        module, ran = environment
        assert module.main(["run"]) == 0
        assert any("--require-hashes" in command for command in ran)
        ran.clear()
        assert module.main(["run"]) == 0
        assert ran == []

    def test_is_made_again_where_it_was_moved_to(
        self, environment: tuple[ModuleType, list[list[str]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        module, ran = environment
        module.main(["run"])
        moved = (tmp_path / ".venv").rename(tmp_path / "moved")
        monkeypatch.setattr(module, "FOLDER", moved)
        monkeypatch.setattr(module, "PYTHON", moved / "bin" / "python")
        ran.clear()
        module.main(["run"])
        assert any("venv" in command for command in ran)

    def test_what_was_added_to_the_lists_is_installed(
        self, environment: tuple[ModuleType, list[list[str]]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module, ran = environment
        module.main(["run"])
        ran.clear()
        monkeypatch.setattr(module, "UV_PIN", ROOT / "requirements.in")
        module.main(["run"])
        assert not any("venv" in command for command in ran)
        assert any("--require-hashes" in command for command in ran)


def test_a_missing_need_is_told_to_whoever_may_not_install_it(bare: Callable[..., dict[str, str]]) -> None:
    asks = (
        "import os, runpy, sys; os.geteuid = lambda: 1000; sys.path.insert(0, 'deploy'); import needs\n"
        "needs.NEEDS = (needs.Need('Something', lambda: False, ('something', 'else')),)\n"
        "sys.exit(needs.main())"
    )
    done = subprocess.run([sys.executable, "-c", asks], cwd=ROOT, env=bare(), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "Missing: Something. As root, type: apt-get install -y something else\n"


def test_the_locked_lists_name_no_registry() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "deploy/uv.txt"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text
