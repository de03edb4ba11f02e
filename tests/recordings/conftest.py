"""What tests of recordings share."""

import pytest

from tests.recordings import films as making
from tests.recordings.films import Films


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    """Tiny films of every kind."""
    return making.all_of_them(tmp_path_factory.mktemp("films"))
