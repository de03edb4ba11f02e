"""What tests of recordings share."""

import pytest
from flask import Flask

from tests.bookings.making import ANN, BOB
from tests.conftest import Clock
from tests.recordings import films as making
from tests.recordings.films import Films
from tests.recordings.showing import PUBLISHED, Kept, a_film, a_recorded_workshop, booked, published


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    """Tiny films of every kind."""
    return making.all_of_them(tmp_path_factory.mktemp("films"))


@pytest.fixture
def kept(app: Flask, clock: Clock) -> Kept:
    """A recording just published to Ann and Bob."""
    slug = a_recorded_workshop(app)
    booked(app, slug, ANN, BOB)
    found = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, found)
    return found
