"""Password hashes."""

import pytest

from accounts import passwords


def test_a_password_is_known_again_and_no_other_is() -> None:
    stored = passwords.hashed("three words in a row")
    assert stored.startswith("$argon2id$")
    assert passwords.is_right(stored, "three words in a row")
    assert not passwords.is_right(stored, "three words in a row ")
    assert passwords.hashed("three words in a row") != stored
    assert not passwords.needs_rehash(stored)


def test_an_accent_typed_either_way_is_the_same_word() -> None:
    assert passwords.is_right(passwords.hashed("cafe\u0301 am Ufer"), "caf\u00e9 am Ufer")


def test_nobodys_hash_costs_what_a_real_one_does_and_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            checked.append(stored)
            return True

    assert not passwords.needs_rehash(passwords.NOBODY)
    monkeypatch.setattr(passwords, "_HASHER", Counting())
    assert not passwords.is_right(None, "anything")
    assert checked == [passwords.NOBODY]


@pytest.mark.parametrize("stored", ["", "plain", "$2b$12$abcdefghijklmnopqrstuv"])
def test_what_is_no_hash_of_ours_opens_nothing(stored: str) -> None:
    assert not passwords.is_right(stored, stored)


def test_another_cost_asks_for_a_new_hash() -> None:
    assert passwords.needs_rehash(passwords.NOBODY.replace("t=2", "t=1"))
