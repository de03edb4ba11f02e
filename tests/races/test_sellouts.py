"""A crowd before real servers: exactly what there is gets sold, and nobody sees an error of ours."""

from pathlib import Path

import pytest

from bench.sellout import sell_out
from tests.races import processes

pytestmark = pytest.mark.both_databases


def test_a_crowd_buys_what_there_is(database_kind: str, tmp_path: Path) -> None:
    with processes.house(database_kind, tmp_path, "stripe", "web") as running:
        sale = sell_out(running, crowd=24, places=6, at_once=8)
    assert (sale.sold, sale.refused, sale.others, sale.faults) == (6, 18, {}, [])


@pytest.mark.prove
@pytest.mark.parametrize("at_once", [8, 32])
def test_four_hundred_buy_a_hundred_places(database_kind: str, tmp_path: Path, at_once: int) -> None:
    with processes.house(database_kind, tmp_path, "stripe", "web") as running:
        for _ in range(3):
            sale = sell_out(running, crowd=400, places=100, at_once=at_once)
            assert (sale.sold, sale.refused, sale.others, sale.faults) == (100, 300, {}, [])
