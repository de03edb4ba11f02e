"""The throw-away server that domain tests and races run on."""

import psycopg
import pytest

from tests import postgres


@pytest.mark.skipif(postgres.base_url() is None, reason="COLLOQUY_TEST_POSTGRES=none: this run goes without")
def test_the_run_shares_one_server() -> None:
    base = postgres.base_url()
    with psycopg.connect(f"{base}/postgres") as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_a_server_of_ones_own_ends_with_its_block() -> None:
    with postgres.running() as base:
        assert base != postgres.base_url()
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE one")
        with psycopg.connect(f"{base}/one") as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"{base}/one", connect_timeout=5)


def test_a_machine_without_it_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "binaries", lambda: None)
    with pytest.raises(postgres.PostgresMissing, match="apt-get install postgresql"), postgres.running():
        pass
