from pathlib import Path

import pytest

from lib import settings

TEST_KEY, LIVE_KEY = "sk_test_abc", "sk_live_abc"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in settings.NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLLOQUY_INSTANCE", str(tmp_path))
    return tmp_path


def test_an_empty_environment_gives_nothing_and_the_defaults_work(folder: Path) -> None:
    assert settings.read() == {}
    filled = settings.with_defaults({})
    settings.check(filled)
    assert filled["DATABASE_URL"] == f"sqlite:///{folder / 'colloquy.sqlite'}"
    assert set(filled) == set(settings.NAMES)


def test_the_environment_comes_before_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "settings.env").write_text(
        "# made by hand\n\nBASE_URL=http://localhost:1\n SECRET_KEY = a=b== \nLOG_LEVEL=\nUNKNOWN=1\nno equals sign\n"
    )
    monkeypatch.setenv("BASE_URL", "http://localhost:2")
    monkeypatch.setenv("MAIL_FROM", "")

    assert settings.read() == {"BASE_URL": "http://localhost:2", "SECRET_KEY": "a=b=="}


def test_given_settings_come_before_the_defaults_whose_keys_are_random() -> None:
    one, other = settings.with_defaults({"BASE_URL": "https://cpd.example"}), settings.with_defaults({})

    assert one["BASE_URL"] == "https://cpd.example"
    assert len({one["SECRET_KEY"], other["SECRET_KEY"], one["LINK_KEYS"], other["LINK_KEYS"]}) == 4


def test_what_is_missing_is_named_in_one_sentence(folder: Path) -> None:
    given = dict.fromkeys(settings.SERVING, "x") | {"SECRET_KEY": "", "LINK_KEYS": ""}

    with pytest.raises(settings.SettingsRefused) as refusal:
        settings.require(given, settings.SERVING, "Serving")
    assert str(refusal.value) == (
        f"Serving needs SECRET_KEY, LINK_KEYS. Set them in the environment or in {folder / 'settings.env'}, "
        "or start the demo with `make run`."
    )


def test_nothing_missing_is_no_refusal() -> None:
    settings.require(dict.fromkeys(settings.WORKING, "x"), settings.WORKING, "Working")


def test_working_does_not_ask_for_what_only_pages_need() -> None:
    assert "SECRET_KEY" not in settings.WORKING
    assert "STRIPE_WEBHOOK_SECRET" not in settings.WORKING


@pytest.mark.parametrize(
    "given",
    [
        {"COLLOQUY_DEMO": "1", "STRIPE_SECRET_KEY": LIVE_KEY},
        {"COLLOQUY_DEMO": "1", "STRIPE_SECRET_KEY": "rk_live_abc"},
        {"STRIPE_API_BASE": "https://api.stripe.com.example", "STRIPE_SECRET_KEY": TEST_KEY},
        {"STRIPE_API_BASE": "http://api.stripe.com", "STRIPE_SECRET_KEY": TEST_KEY},
        {"STRIPE_API_BASE": "http://localhost.example:1", "STRIPE_SECRET_KEY": TEST_KEY},
        {"STRIPE_API_BASE": "http://localhost@evil.example", "STRIPE_SECRET_KEY": TEST_KEY},
        {"STRIPE_API_BASE": "http://10.0.0.1:1", "STRIPE_SECRET_KEY": TEST_KEY},
        {"STRIPE_API_BASE": "http://localhost:1", "STRIPE_SECRET_KEY": LIVE_KEY},
        {"STRIPE_API_BASE": "http://localhost:1", "STRIPE_SECRET_KEY": ""},
        {"STRIPE_API_BASE": "nonsense", "STRIPE_SECRET_KEY": TEST_KEY},
        {"ZOOM_ADDRESS": "https://zoom.us.example"},
        {"ZOOM_ADDRESS": "http://zoom.us"},
        {"ZOOM_ADDRESS": "http://localhost@evil.example"},
        {"MEDIA_STORE": "disk"},
        {"MEDIA_STORE": "s3", "S3_ENDPOINT": "https://s3.example"},
        {"MEDIA_STORE": "s3", "S3_BUCKET": "films"},
        {"MEDIA_STORE": "s3", "S3_BUCKET": "films", "S3_ENDPOINT": "http://s3.example"},
        {"MEDIA_STORE": "s3", "S3_BUCKET": "films", "S3_ENDPOINT": "https://s3.example/films"},
        {"MEDIA_STORE": "s3", "S3_BUCKET": "films", "S3_ENDPOINT": "ftp://localhost"},
        {"MEDIA_STORE": "s3", "S3_BUCKET": "films", "S3_ENDPOINT": "https://s3.example", "MEDIA_ACCEL": "/_media/"},
        {"MEDIA_ACCEL": "_media/"},
        {"MEDIA_ACCEL": "/_media"},
        {"MEDIA_ACCEL": "/../"},
        {"MEDIA_DIRECT": "1"},
        {"BASE_URL": "localhost:5000"},
        {"BASE_URL": "ftp://cpd.example"},
    ],
)
def test_combinations_that_must_not_start(given: dict[str, str]) -> None:
    with pytest.raises(settings.SettingsRefused):
        settings.check(settings.with_defaults(given))


@pytest.mark.parametrize(
    "given",
    [
        {"COLLOQUY_DEMO": "1"},
        {"COLLOQUY_DEMO": "1", "STRIPE_SECRET_KEY": TEST_KEY, "STRIPE_API_BASE": "http://localhost:4242"},
        {"STRIPE_SECRET_KEY": TEST_KEY, "STRIPE_API_BASE": "http://127.0.0.1:1"},
        {"ZOOM_ADDRESS": "http://127.0.0.1:1"},
        {"MEDIA_ACCEL": "/_media/"},
        {"MEDIA_STORE": "s3", "S3_BUCKET": "films", "S3_ENDPOINT": "http://localhost:9000"},
        {"MEDIA_STORE": "s3", "S3_BUCKET": "films", "S3_ENDPOINT": "https://s3.example/", "MEDIA_DIRECT": "1"},
        {"STRIPE_SECRET_KEY": TEST_KEY, "STRIPE_API_BASE": "http://[::1]:1"},
        {"STRIPE_SECRET_KEY": LIVE_KEY, "BASE_URL": "https://cpd.example"},
    ],
)
def test_combinations_that_may(given: dict[str, str]) -> None:
    settings.check(settings.with_defaults(given))
