#!/bin/sh
# Runs its arguments with a Python that Colloquy can use; only what a bare system has is needed for this.
# PYTHON=/path/to/python chooses one.

set -u
usable=
for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    usable=$candidate
    "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1 && exec "$candidate" "$@"
done

if [ -n "$usable" ]; then
    echo "Python's venv module is missing. As root, type: apt-get install -y python3-venv" >&2
elif command -v python3 >/dev/null 2>&1; then
    echo "Colloquy needs Python 3.11 or newer, and this is $(python3 --version 2>&1). As root, type: apt-get install -y python3.11 python3.11-venv" >&2
else
    echo "Colloquy needs Python 3.11 or newer. As root, type: apt-get install -y python3 python3-venv" >&2
fi
exit 1
