"""`flask policies check`: what it prints, how it exits, and that it needs nothing."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from flask import Flask

from tests.house.source import ROOT
from tests.policies.test_published import FILE

GUIDE = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "policies.md").read_text(encoding="utf-8"), re.DOTALL)
EXAMPLE = {"name": "it", "action": "cancel", "price_minor": 100, "currency": "GBP", "at": "2027-01-01T10:00"}


@pytest.fixture
def check(houses: Any, tmp_path: Path) -> Any:
    app: Flask = houses("sqlite").app

    def run(data: Any, *options: str, suffix: str = "yaml") -> Result:
        file = tmp_path / f"policies.{suffix}"
        text = data if isinstance(data, str) else json.dumps(data) if suffix == "json" else yaml.safe_dump(data)
        file.write_text(text, encoding="utf-8")
        return app.test_cli_runner().invoke(args=["policies", "check", str(file), *options])

    return run


def policy(refund: int) -> dict[str, Any]:
    rules = [{"action": "cancel", "refund_pct": 50}]
    return {"id": "half", "rules": rules, "examples": [EXAMPLE | {"expect": {"refund_minor": refund}}]}


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_agreement_is_counted(check: Any, suffix: str) -> None:
    found = check({"policies": [policy(50), policy(50)]}, suffix=suffix)

    assert (found.output, found.exit_code) == ("2 of 2\n", 0)


def test_each_difference_is_printed(check: Any) -> None:
    found = check({"policies": [policy(50), policy(40)]})

    assert found.output == "half, it: refund_minor is 50, expected 40\n1 of 2\n"
    assert found.exit_code == 1


@pytest.mark.parametrize(("expected", "code"), [("14d", 0), ("2w", 1), ("14 days", 0), ("13d", 1)])
def test_a_length_is_expected_as_it_was_written(check: Any, expected: str, code: int) -> None:
    rules = [{"action": "provider_cancel", "refund_pct": 100, "pay_within": "14d"}]
    example = EXAMPLE | {"action": "provider_cancel", "expect": {"refund_minor": 100, "pay_within": expected}}

    assert check({"id": "soon", "rules": rules, "examples": [example]}).exit_code == code


def test_a_refused_policy_names_its_edge(check: Any) -> None:
    rules = [{"action": "cancel", "if": {"notice": sign}, "refund_pct": n} for n, sign in enumerate((">14d", "<7d"))]
    found = check({"id": "holes", "rules": rules})

    assert "holes: About cancel: between 7 days and 14 days before the workshop (both included) nothing" in found.output
    assert found.output.endswith("0 of 0\n")
    assert found.exit_code == 1


def test_programs_get_json(check: Any) -> None:
    found = json.loads(check({"policies": [policy(40)]}, "--json").output)

    assert (found["agreed"], found["total"], len(found["differences"])) == (0, 1, 1)


@pytest.mark.parametrize("text", ["[", "just words", "policies: []", "policies: [1]", ""])
def test_a_file_without_policies_says_so(check: Any, text: str) -> None:
    found = check(text)

    assert found.exit_code == 1
    assert "holds no policies" in found.output or "neither YAML nor JSON" in found.output


@pytest.mark.parametrize("block", GUIDE, ids=lambda block: yaml.safe_load(block)["name"])
def test_every_example_of_the_guide_holds(check: Any, block: str) -> None:
    found = check(block)

    assert re.fullmatch(r"([1-9]\d*) of \1\n", found.output), found.output


def test_the_guide_has_examples() -> None:
    assert len(GUIDE) >= 5


def test_it_runs_in_an_empty_environment(tmp_path: Path) -> None:
    """No database, no secret: the command as somebody types it, with nothing set."""
    empty = {"COLLOQUY_INSTANCE": str(tmp_path), "PATH": os.defpath}
    run = subprocess.run(
        [sys.executable, "-m", "flask", "policies", "check", str(FILE)],
        cwd=ROOT, env=empty, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert run.stdout.splitlines()[-1] == "94 of 94"
    assert run.returncode == 0, run.stderr
    assert list(tmp_path.iterdir()) == []
