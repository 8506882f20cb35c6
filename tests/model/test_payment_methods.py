"""Payment methods come from configuration; test tokens and unencrypted ways are refused where money is real."""

from __future__ import annotations

import json

import pytest

from app.errors import SettingsError
from app.payment_methods import is_test_token, methods_of
from app.settings import PaymentsSettings

pytestmark = pytest.mark.requirement("payment methods are configured; test tokens are for the lab")

REAL = {
    "LEDGER_DSN": "postgresql://ledger@db/ledger",
    "PSP_URL": "https://provider.example",
    "PSP_API_KEY": "sk_live_0123456789",
    "PAYMENTS_CALL_KEY": "0123456789abcdef0123456789abcdef",
}


def test_the_lab_has_methods_of_its_own() -> None:
    assert set(methods_of("", in_lab=True)) == {"tok_visa", "tok_mastercard", "tok_declined"}


@pytest.mark.parametrize("token", ["tok_visa", "tok_declined", "tok_test_1", "tok_expired", "tok_visa_debit"])
def test_test_tokens_are_refused_outside_the_lab(token: str) -> None:
    assert is_test_token(token)
    with pytest.raises(ValueError, match="test token"):
        methods_of(json.dumps({"tok_card": "Card", token: "Test"}), in_lab=False)


def test_own_tokens_are_taken() -> None:
    assert methods_of('{"tok_card": "Credit card"}', in_lab=False) == {"tok_card": "Credit card"}


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "{", '{"4242424242424242": "x"}', '{"tok_a": ""}', '{"tok_a": 1}', "[" * 9000]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        methods_of(text, in_lab=False)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"PSP_URL": "http://provider.example"}, "https"),
        ({"PSP_URL": ""}, "PSP_URL"),
        ({"PSP_API_KEY": ""}, "PSP_API_KEY"),
        ({"PSP_URL": "http://127.0.0.1:8070", "SHOP_ENVIRONMENT": "prod"}, "https"),
    ],
)
def test_real_money_goes_a_safe_way(changes: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        PaymentsSettings.read({**REAL, **changes})


def test_the_lab_needs_neither() -> None:
    settings = PaymentsSettings.read(
        {
            **{name: REAL[name] for name in ("LEDGER_DSN", "PAYMENTS_CALL_KEY")},
            "SHOP_ENVIRONMENT": "lab",
            "PSP_URL": "http://10.99.0.70:8070",
        }
    )
    assert settings.takes_test_tokens
    assert not PaymentsSettings.read(REAL).takes_test_tokens
