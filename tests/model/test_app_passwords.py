"""A password is what somebody meant, whichever keyboard they sat at."""

import hashlib
import runpy

import pytest

from app.customers import passwords
from app.customers.passwords import PasswordError, hash_password, is_password

OF_THE_FIRST_RELEASE = "scrypt$16384$8$5$u5t336k+EQ08816N9JmaFg==$yprbHbPdZ1RxsyFsCVG9D1zLHzlhsn5wiG4tdH/+DuY="
"""`correct horse battery`, as hashed before there was a rule for spaces and accents."""


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take no time, where a test asks which passwords are the same; a hash says what it cost."""
    monkeypatch.setattr(passwords, "COST", 2)
    monkeypatch.setattr(passwords, "PARALLEL", 1)


def test_a_hash_costs_what_owasp_asks_for() -> None:
    stored = hash_password("correct horse battery")
    assert stored.startswith("scrypt-opaque$16384$8$5$")
    assert is_password("correct horse battery", stored)
    assert passwords.NOBODY.startswith("scrypt-opaque$16384$8$5$")


def test_a_process_starts_without_making_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def scrypt(text: bytes, **_: object) -> bytes:
        made.append(text)
        return bytes(32)

    monkeypatch.setattr(hashlib, "scrypt", scrypt)
    nobody = str(runpy.run_path(passwords.__file__)["NOBODY"])
    assert made == []
    assert nobody.startswith("scrypt-opaque$16384$8$5$")
    assert nobody != passwords.NOBODY
    assert not is_password("correct horse battery", nobody)
    assert made == [b"correct horse battery"]  # who is not known costs the hash of somebody who is


@pytest.mark.usefixtures("cheap")
def test_the_same_letters_are_the_same_password() -> None:
    stored = hash_password("pa\u00df Zo\u00eb 12345")
    assert is_password("pa\u00df Zoe\u0308 12345", stored)
    assert is_password("pa\u00df\u00a0Zo\u00eb\u300012345", stored)


@pytest.mark.usefixtures("cheap")
def test_nothing_is_stripped() -> None:
    stored = hash_password("correct horse ")
    assert is_password("correct horse ", stored)
    assert not is_password("correct horse", stored)
    assert not is_password(" correct horse ", stored)


def test_hashes_of_the_first_release_go_on_to_fit() -> None:
    assert is_password("correct horse battery", OF_THE_FIRST_RELEASE)
    assert is_password(" correct horse battery ", OF_THE_FIRST_RELEASE)
    assert not is_password("correct horse batterY", OF_THE_FIRST_RELEASE)


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("password", ["short", "e\u0301" * 9, "x" * 255, "correct\x00horse", "correct\thorse battery"])
def test_what_cannot_be_a_password_is_refused_and_fits_nothing(password: str) -> None:
    with pytest.raises(PasswordError):
        hash_password(password)
    assert not is_password(password, hash_password("correct horse battery"))
