"""Workers killed -9 in the middle of letters: none is lost, none comes to the wrong person."""

from pathlib import Path

import pytest

from bench import serving
from tests.conftest import Mailbox
from tests.races import processes

pytestmark = pytest.mark.both_databases


def kill_and_look(kind: str, folder: Path, *, letters: int, kills: int, seed: int) -> None:
    with processes.house(kind, folder, "mailbox") as running:
        smtp = running.settings["SMTP_URL"]
        processes.post_letters(running, letters)
        processes.kill_workers(running, kills, seed)
        assert serving.wait_for(lambda: processes.open_jobs(running) == 0, 120)
        mailbox = Mailbox(running.mailbox, smtp)
        processes.check_letters(running, mailbox, letters, kills)
        processes.check_lanes(mailbox)


def test_lose_no_letter(database_kind: str, tmp_path: Path) -> None:
    kill_and_look(database_kind, tmp_path, letters=12, kills=2, seed=1)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(5))
def test_lose_no_letter_however_often(database_kind: str, tmp_path: Path, seed: int) -> None:
    kill_and_look(database_kind, tmp_path, letters=60, kills=12, seed=seed)
