import base64

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as looks
from hypothesis import strategies as st

from lib import links
from lib.links import Purpose

PURPOSES: tuple[Purpose, ...] = ("booking", "place", "join", "recording", "feed")
many = looks(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def keys(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setitem(app.config, "LINK_KEYS", "the-first-key")
    return app


@many
@given(row=st.integers(1, 10**15 - 1), version=st.integers(0, 10**6), purpose=st.sampled_from(PURPOSES))
def test_a_token_opens_what_it_was_made_for_and_can_be_made_again(
    keys: Flask, row: int, version: int, purpose: Purpose
) -> None:
    with keys.app_context():
        token = links.token(purpose, row, version)

        assert links.verify_token(purpose, version, token)
        assert links.row_of(token) == row
        assert links.token(purpose, row, version) == token


@pytest.mark.parametrize("made_for", PURPOSES)
@pytest.mark.parametrize("used_for", PURPOSES)
def test_a_token_opens_nothing_of_another_purpose(keys: Flask, made_for: Purpose, used_for: Purpose) -> None:
    with keys.app_context():
        assert links.verify_token(used_for, 1, links.token(made_for, 7, 1)) is (made_for == used_for)


@pytest.mark.parametrize("version", [0, 2, 11, -1])
def test_raising_the_version_kills_older_tokens(keys: Flask, version: int) -> None:
    with keys.app_context():
        assert not links.verify_token("place", version, links.token("place", 7, 1))


def test_a_token_of_one_row_opens_no_other(keys: Flask) -> None:
    with keys.app_context():
        signature = links.sign("place", 7, 1)

        assert not links.verify_token("place", 1, f"8-{signature}")
        assert not links.verify("place", 71, 1, signature)


def test_the_signed_parts_cannot_be_moved_into_one_another(keys: Flask) -> None:
    with keys.app_context():
        assert links.sign("place", 1, 11) != links.sign("place", 11, 1)


@many
@given(data=st.data())
def test_one_changed_character_closes_it(keys: Flask, data: st.DataObject) -> None:
    with keys.app_context():
        token = links.token("join", 42, 3)
        at = data.draw(st.integers(0, len(token) - 1))
        other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != token[at]))
        changed = token[:at] + other + token[at + 1 :]

        same_bits = at == len(token) - 1 and _bits(changed) == _bits(token)
        assert not links.verify_token("join", 3, changed), f"{changed!r} opens, same bits: {same_bits}"


@many
@given(text=st.text(max_size=80))
def test_no_text_of_any_length_opens_or_breaks_anything(keys: Flask, text: str) -> None:
    with keys.app_context():
        assert not links.verify_token("booking", 1, text)
        assert not links.verify("booking", 1, 1, text)


@many
@given(length=st.integers(0, 200))
def test_a_token_cut_short_or_drawn_out_opens_nothing(keys: Flask, length: int) -> None:
    with keys.app_context():
        token = links.token("booking", 9, 1)
        other = (token * 8)[:length]

        assert links.verify_token("booking", 1, other) is (other == token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "7",
        "7-",
        "-" + "A" * 27,
        "07-" + "A" * 27,
        "0-" + "A" * 27,
        "+7-" + "A" * 27,
        " 7-" + "A" * 27,
        "7-" + "A" * 26,
        "7-" + "A" * 28,
        "1234567890123456-" + "A" * 27,
        "٧-" + "A" * 27,  # a digit, but not one of ours
        "²-" + "A" * 27,
        "7.0-" + "A" * 27,
        "7\n-" + "A" * 27,
    ],
)
def test_what_has_not_the_shape_of_a_token_names_no_row(text: str) -> None:
    assert links.row_of(text) is None


def test_the_shape_alone_proves_nothing(keys: Flask) -> None:
    forged = "7-" + "A" * 27
    assert links.row_of(forged) == 7
    with keys.app_context():
        assert not links.verify_token("place", 1, forged)


def test_a_new_key_signs_and_the_old_one_still_opens_until_it_is_gone(
    keys: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with keys.app_context():
        old = links.token("feed", 5, 1)
        monkeypatch.setitem(keys.config, "LINK_KEYS", "the-second-key, the-first-key")
        new = links.token("feed", 5, 1)

        assert new != old
        assert [links.verify_token("feed", 1, each) for each in (old, new)] == [True, True]
        monkeypatch.setitem(keys.config, "LINK_KEYS", "the-second-key")
        assert [links.verify_token("feed", 1, each) for each in (old, new)] == [False, True]


@pytest.mark.parametrize("stray", [",", " , ", ",,the-first-key,"])
def test_a_stray_comma_is_no_empty_key(keys: Flask, monkeypatch: pytest.MonkeyPatch, stray: str) -> None:
    monkeypatch.setitem(keys.config, "LINK_KEYS", "")
    empty = links._signature(b"", "place", 7, 1)
    monkeypatch.setitem(keys.config, "LINK_KEYS", f"the-second-key{stray}")
    with keys.app_context():
        assert not links.verify("place", 7, 1, empty)


def test_a_signature_is_at_least_128_bits(keys: Flask) -> None:
    with keys.app_context():
        assert len(_bits(links.token("place", 7, 1))) * 8 >= 128


def _bits(token: str) -> bytes:
    signature = token.partition("-")[2]
    try:
        return base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except ValueError:
        return b""
