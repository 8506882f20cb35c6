"""The two processes of the export: a region's exporter and headquarters' server, over mutual TLS between them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from export_place import Place, figure
from export_world import DAY, REGION, money_release, signer

from app.bounded_http import NoAnswerError
from app.export.line import HeadquartersLine
from app.export.outbox import Batch, Receipt
from app.export.release import Sealed
from app.export.verifying import Verdict
from shopsphere.foundation.certificates import KeyPair
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("headquarters gets aggregates only, once each, over an outbox")

SESSION = b"s" * 16
MADE = tuple(signer(1).seal(money_release(seq, DAY + timedelta(days=seq))) for seq in (1, 2, 3))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("export"))
    try:
        yield place
    finally:
        place.remove()


@pytest.fixture
def place(both: Place) -> Place:
    both.empty()
    return both


async def told(line: HeadquartersLine, releases: tuple[Sealed, ...] = MADE) -> Receipt:
    """Ask where headquarters stands, and send."""
    await line.mark(SESSION)
    return await line.send(Batch(session=SESSION, releases=releases))


def begun(verb: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What becomes of a process that does not start."""
    return subprocess.run(
        [sys.executable, "-m", "app", verb], cwd=REPOSITORY, text=True, capture_output=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
    )  # fmt: skip


def test_headquarters_takes_of_each_region_its_own_and_nothing_of_strangers(place: Place) -> None:
    client = place.files.client

    def refused(certificate: KeyPair, region: int = REGION) -> None:
        with pytest.raises(NoAnswerError):
            place.over_line(told, certificate, region)

    with place.headquarters() as server:
        assert place.over_line(told, client("region-1")) == Receipt(region=REGION, last=3)
        assert place.over_line(told, client("region-1")) == Receipt(region=REGION, last=3), "the same again"
        assert place.over_line(lambda line: line.fetch(1), client("region-1")) == MADE[1:]
        wrong = place.over_line(told, client("region-2"), 2)
        assert wrong == Receipt(region=2, last=0, verdict=Verdict.WRONG_REGION, seq=1)
        assert list(place.over_line(lambda line: line.fetch(0), client("region-2"), 2)) == []
        refused(client("region-3"), 3)
        assert figure(server, "take_strangers") == 0
        refused(client("headquarters"))
        refused(client("region-01"))
        refused(client("region-1", place.files.other))
        assert figure(server, "take_strangers") == 3
        assert figure(server, 'take_last_release{region="1"}') == 3
        assert figure(server, 'take_refused_total{region="2",verdict="wrong region"}') == 1
        assert figure(server, "take_certificate_ends_timestamp_seconds") is not None
        server.ask_to_leave()
        assert server.wait() == 0
    assert place.of_headquarters("SELECT region, seq FROM reporting.release ORDER BY 1, 2") == [(1, 1), (1, 2), (1, 3)]
    assert place.of_headquarters("SELECT number FROM reporting.region ORDER BY 1") == [(1,), (2,)]


def test_headquarters_does_not_start_on_another_schema_or_without_keys(place: Place) -> None:
    place.of_headquarters("ALTER TABLE reporting.cell ADD COLUMN note text")
    try:
        refused = begun("take-releases", place.taking_variables())
    finally:
        place.of_headquarters("ALTER TABLE reporting.cell DROP COLUMN note")
    assert refused.returncode == 1
    assert "reporting.cell.note: expected no column, found text" in refused.stderr
    nobody = begun("take-releases", {**place.taking_variables(), "TAKE_KEYS": str(place.files.folder / "line")})
    assert nobody.returncode == 1
    assert "nobody may send releases" in nobody.stderr
    assert "Traceback" not in refused.stderr + nobody.stderr
