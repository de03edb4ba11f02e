"""Compiles requirements.in, requirements-dev.in and deploy/uv.in into their locked lists with hashes.

Pins that still fit are kept; with `--upgrade` as an argument everything moves to its newest version.
"""

# ruff: noqa: S603, T201 - it runs programs by their names and speaks to whoever typed make

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
LISTS = ("requirements", "requirements-dev", "deploy/uv")
COMPILE = ("pip", "compile", "--quiet", "--system-certs", "--universal", "--python-version", "3.11")
FORM = ("--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links")


def main(arguments: list[str]) -> int:
    if not UV.exists():
        print("Locking needs uv, which could not be installed into .venv.", file=sys.stderr)
        return 1
    for name in LISTS:
        files = [f"{name}.in", "--output-file", f"{name}.txt"]
        done = subprocess.run(
            [UV, *COMPILE, *FORM, *arguments, *files], cwd=ROOT, stdout=subprocess.DEVNULL, check=False
        )
        if done.returncode != 0:
            return done.returncode
        print(f"{'locked':<12}{name}.txt", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
