"""The settings of the export's two processes, and what they refuse before they begin."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from app.errors import SettingsError
from app.export.export_settings import ExportSettings
from app.export.taking_settings import TakingSettings
from app.export.vocabulary import Currency
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("headquarters gets aggregates only, once each, over an outbox")

EXPORT = {
    "COMMERCE_DSN": "postgresql://export_app@db:5432/commerce",
    "EXPORT_REGION": "1",
    "EXPORT_CURRENCIES": "EUR, CHF",
    "EXPORT_SINCE": "2026-12-01",
    "EXPORT_HEADQUARTERS": "https://headquarters.example:8016",
    "EXPORT_AUTHORITY_FILE": "/line/ca.crt",
    "EXPORT_CERTIFICATE_FILE": "/line/tls.crt",
    "EXPORT_KEY_FILE": "/line/tls.key",
    "EXPORT_SIGNING_KEY_FILE": "/signing/key.pem",
}
TAKE = {
    "HEADQUARTERS_DSN": "postgresql://headquarters@db:5432/headquarters",
    "TAKE_AUTHORITY_FILE": "/line/regions.crt",
    "TAKE_CERTIFICATE_FILE": "/line/tls.crt",
    "TAKE_KEY_FILE": "/line/tls.key",
    "TAKE_KEYS": "/keys",
}


def test_what_is_usual_need_not_be_said() -> None:
    export = ExportSettings.read({**EXPORT, "COMMERCE_PASSWORD": "a-secret", "COMMERCE_PASSWORD_OTHER": "another"})
    assert (export.listen.port, export.region, export.since) == (8015, 1, date(2026, 12, 1))
    assert export.currencies == {Currency.EUR, Currency.CHF}
    assert (export.every_seconds, export.former_keys) == (60, None)
    taking = TakingSettings.read({**TAKE, "HEADQUARTERS_PASSWORD": "a-secret"})
    assert (taking.port, taking.listen.port, taking.keys) == (8016, 8017, Path("/keys"))
    assert "a-secret" in export.commerce_dsn
    assert "a-secret" in taking.reports_dsn
    assert "a-secret" not in repr(export) + repr(taking)
    assert "another" not in repr(export)


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"EXPORT_REGION": "100"}, "EXPORT_REGION: expected a number from 1 to 99"),
        ({"EXPORT_REGION": ""}, "EXPORT_REGION: expected a number from 1 to 99"),
        ({"EXPORT_CURRENCIES": "EUR,DEM"}, "EXPORT_CURRENCIES: expected ISO 4217 codes .* found DEM"),
        ({"EXPORT_CURRENCIES": ""}, "EXPORT_CURRENCIES: expected a value"),
        ({"EXPORT_SINCE": "yesterday"}, "EXPORT_SINCE: expected a day as 2026-12-01, found 'yesterday'"),
        ({"EXPORT_SINCE": ""}, "EXPORT_SINCE: expected a value"),
        ({"EXPORT_HEADQUARTERS": "http://hq"}, "EXPORT_HEADQUARTERS: expected an https:// address"),
        ({"EXPORT_SIGNING_KEY_FILE": ""}, "EXPORT_SIGNING_KEY_FILE: expected a value"),
        ({"EXPORT_SPEED": "1"}, "EXPORT_SPEED: expected one of"),
    ],
)
def test_what_the_exporter_cannot_use_is_refused_with_its_name(variables: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        ExportSettings.read({**EXPORT, **variables})


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"TAKE_KEYS": ""}, "TAKE_KEYS: expected a value"),
        ({"TAKE_PORT": "8017"}, "TAKE_PORT: expected another port than that of the probes, found 8017"),
        ({"TAKE_KEY": "x"}, "TAKE_KEY: expected one of"),
        ({"HEADQUARTERS_DSN": "mysql://x"}, "HEADQUARTERS_DSN: expected postgresql://"),
    ],
)
def test_what_headquarters_cannot_use_is_refused_with_its_name(variables: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        TakingSettings.read({**TAKE, **variables})


@pytest.mark.parametrize(
    ("verb", "missing"), [("export", "opendp"), ("recommend", "numpy"), ("index-sessions", "numpy")]
)
def test_an_image_without_its_libraries_says_so(verb: str, missing: str) -> None:
    program = (
        "from app import cli; found = cli.find_spec; "
        f"cli.find_spec = lambda name: None if name == {missing!r} else found(name); cli.main([{verb!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, text=True, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert f"expected: {missing}\n" in done.stderr
    assert "Traceback" not in done.stderr
