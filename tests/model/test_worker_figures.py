"""What operators read of the worker of clicks is what it says, with the end of the certificates that it was given."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.certificate_ends import first_end
from app.insight.consuming import Reader
from app.insight.figures import figures
from app.insight.pruning import Pruning
from app.insight.sink import Sink, Source
from app.insight.working import State, Worker
from policies.admission.entering import policies
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.estate.event_log_secrets import generate_event_log_secrets
from shopsphere.status.worker_figures import read_figures

pytestmark = pytest.mark.requirement("who operates a site waits for its event log as for everything else")

MADE = datetime(2026, 12, 1, 12, 5, tzinfo=UTC)
ENDS = datetime(2028, 11, 30, 12, 0, tzinfo=UTC)
"""Two years and five minutes later, as the clock of who reads it may be behind."""
PRUNING = cast("Pruning", SimpleNamespace(removed=0))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(clock: Clock) -> Worker:
    def opened(*_: Any) -> Reader:
        raise NotImplementedError

    return Worker(cast("Sink", None), lambda: Source("frankfurt", "clicks", "log"), opened, clock=clock)


def test_what_it_says_is_read(worker: Worker, clock: Clock) -> None:
    clock.now += 41
    worker.state = State.COUNTS
    found = read_figures(figures(worker, PRUNING), "frankfurt")
    assert (found.counts, found.still_seconds) == (True, 41)
    assert (found.behind_records, found.behind_seconds, found.certificate_ends) == (None, None, None)
    worker.state = State.FOLLOWS
    assert not read_figures(figures(worker, PRUNING), "frankfurt").counts


def test_the_end_of_its_certificates_is_told_to_the_second(worker: Worker, tmp_path: Path) -> None:
    made = generate_event_log_secrets("rdc-a", now=MADE)
    files = {"ca.crt": made["kafkaAuthority"], "tls.crt": made["kafkaInsightCertificate"]}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    end = first_end(str(tmp_path / name) for name in files)
    assert read_figures(figures(worker, PRUNING, end), "frankfurt").certificate_ends == ENDS
    assert end != first_end([str(tmp_path / "ca.crt")]), "the authority's is later"


def test_a_certificate_that_cannot_be_read_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").write_text("nonsense")
    assert first_end([str(tmp_path / "tls.crt")]) is None
    assert first_end([str(tmp_path / "missing.crt")]) is None
    assert first_end([]) is None


@pytest.mark.parametrize("text", ["", "insight_counts 1\n", "{{{"])
def test_what_is_no_answer_of_a_worker_is_not_known(text: str) -> None:
    with pytest.raises(UnreadableAnswerError, match="frankfurt: figures of the worker"):
        read_figures(text, "frankfurt")


@pytest.mark.requirement("who only looks runs what it has to ask in a pod, and nothing else")
def test_a_watcher_may_run_just_this_question_in_the_workers_pod() -> None:
    watchers = next(each for each in policies() if each.name == "programs-of-watchers")
    (validation,) = watchers.validations
    at = 'request.namespace in ["insight"] && object.container == "insight"'
    assert validation.expression.count("insight") == 2, "nothing else is asked there"
    assert f'({at}) && (object.command == ["shop", "metrics", "8012"])' in validation.expression
