"""What somebody who runs code in a pod of the shop cannot do: act as a database's owner, or charge without a seal."""

from __future__ import annotations

import json

import pytest

from lab.cluster.addons import kubectl

SITE = "frankfurt"
AS_THE_SERVICE = """
import json, sys, psycopg
from app.settings import Environment
name = sys.argv[1]
said = {}
for statement in sys.argv[2:]:
    with psycopg.connect(Environment().dsn(f"{name}_DSN", f"{name}_PASSWORD"), autocommit=True) as connection:
        try:
            row = connection.execute(statement)
            said[statement] = str(row.fetchone()[0]) if row.description else "done"
        except psycopg.Error as error:
            said[statement] = type(error).__name__
print(json.dumps(said))
"""
UNSEALED = """
import httpx
answer = httpx.post("http://payments.payments.svc.cluster.local/v1/payments", trust_env=False, timeout=10,
    headers={"idempotency-key": "order-00000000000000000000000000000000"},
    json={"reference": "E-X", "amount_minor": 100, "currency": "EUR", "token": "tok_visa"})
print(answer.status_code)
"""
FORBIDDEN = (
    "SET ROLE ledger",
    "UPDATE ledger.entry SET amount_minor = 1",
    "DELETE FROM ledger.entry",
    "TRUNCATE ledger.entry",
    "ALTER TABLE ledger.entry DISABLE TRIGGER ALL",
    "DROP TABLE ledger.entry",
    "UPDATE payments.payment SET amount_minor = 1",
)


def inside(namespace: str, *words: str) -> str:
    program = ("exec", "-n", namespace, f"deploy/{namespace}", "--", "/usr/bin/python3.11")
    said: str = kubectl(SITE, *program, *words, seconds=60)
    return said.strip().rpartition("\n")[2]


@pytest.mark.requirement("the ledger cannot be changed by anybody whose password is in a pod")
def test_the_payments_pod_is_no_owner() -> None:
    said = json.loads(inside("payments", "-c", AS_THE_SERVICE, "LEDGER", "SELECT current_user", *FORBIDDEN))
    assert said.pop("SELECT current_user") == "payments_app"
    assert said == dict.fromkeys(FORBIDDEN, "InsufficientPrivilege")


@pytest.mark.requirement("services log in as roles that own nothing")
def test_the_shop_pod_is_no_owner() -> None:
    said = json.loads(inside("shop", "-c", AS_THE_SERVICE, "COMMERCE", "SELECT current_user", "SET ROLE commerce"))
    assert said == {"SELECT current_user": "shop_app", "SET ROLE commerce": "InsufficientPrivilege"}


@pytest.mark.requirement("between shop and payments both sides are authenticated")
def test_a_question_without_a_seal_is_not_answered() -> None:
    assert inside("shop", "-c", UNSEALED) == "401"
