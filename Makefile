# Two commands do everything on a fresh machine: `make run` and `make test`.

.PHONY: help run test check prove reset lock pictures
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# Given to what `make run` starts as they were typed: through the environment, never through a shell's eyes.
ifneq ($(origin DATABASE_URL),undefined)
override DATABASE_URL := $(value DATABASE_URL)
export DATABASE_URL
endif
ifneq ($(origin EMPTY),undefined)
override EMPTY := $(value EMPTY)
export EMPTY
endif

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: ## Everything running, in the foreground; EMPTY=1 for no sample data, DATABASE_URL=... for another database
	@deploy/python.sh deploy/environment.py run
	@exec .venv/bin/python -m demo.run

test: ## The whole suite with all it needs, installed first (as root) where it is missing
	@deploy/python.sh deploy/environment.py dev
	@deploy/python.sh deploy/needs.py
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	.venv/bin/python -m pytest -n 3 -m "not prove"

check: ## Under a minute: ruff, mypy and the quick tests, on SQLite alone
	@deploy/python.sh deploy/environment.py dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	COLLOQUY_TEST_POSTGRES=none .venv/bin/python -m pytest -q -n 2 -m "not browser and not prove" -k "not postgresql" \
		--ignore=tests/browser --ignore=tests/journeys --ignore=tests/races --ignore=tests/setup

prove: ## The long loops: kills, fuzzing, sell-outs, a fresh clone as an ordinary user, pages on PostgreSQL
	@deploy/python.sh deploy/environment.py dev
	@deploy/python.sh deploy/needs.py
	.venv/bin/python -m pytest -n 2 -m prove

pictures: ## Take the pictures in docs/pictures again
	@deploy/python.sh deploy/environment.py dev
	@deploy/python.sh deploy/needs.py
	.venv/bin/python -m demo.pictures

reset: ## Remove the demo's data; the environment stays
	@deploy/python.sh -m demo.run.reset

lock: ## Compile requirements*.in into requirements*.txt with hashes
	@deploy/python.sh deploy/environment.py dev
	@deploy/python.sh deploy/lock.py
