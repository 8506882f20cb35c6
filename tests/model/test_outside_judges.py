"""bench/judges: whose answers are read, and each finding of which has a reason that still fits."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from shopsphere.foundation.paths import REPOSITORY

FOLDER = REPOSITORY / "bench" / "judges"
REASONS = {("kube-score", "probes"): {"Deployment/*": "why"}}


@pytest.fixture
def judges(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(FOLDER))
    import judges  # noqa: PLC0415 - a module of the program's own folder

    yield judges
    sys.modules.pop("judges")


@pytest.fixture
def program(judges: ModuleType) -> Iterator[ModuleType]:
    import outside_page  # noqa: PLC0415

    yield outside_page
    sys.modules.pop("outside_page")


def says(folder: Path, answer: object) -> Path:
    """Return a program that prints this answer, whatever it is asked."""
    file = folder / "judge"
    file.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
    file.chmod(0o755)
    return file


def test_kube_score_is_read(judges: ModuleType, tmp_path: Path) -> None:
    def check(rule: str, grade: int, *, skipped: bool = False) -> dict[str, object]:
        return {"check": {"id": rule, "comment": "asks"}, "grade": grade, "skipped": skipped}

    checks = [check("probes", 1), check("limits", 10), check("other", 1, skipped=True)]
    meta = {"type_meta": {"kind": "Deployment"}, "object_meta": {"namespace": "shop", "name": "shop"}}
    found = [*judges.kube_score(says(tmp_path, [{**meta, "checks": checks}]), tmp_path)]
    assert found == [judges.Finding("kube-score", "probes", "asks", "Deployment/shop/shop")]


def test_checkov_is_read(judges: ModuleType, tmp_path: Path) -> None:
    failed = [{"check_id": "CKV_1", "check_name": "asks", "resource": "Deployment.shop.shop"}]
    answer = {"results": {"failed_checks": failed}, "summary": {"parsing_errors": 0}}
    assert [*judges.checkov(says(tmp_path, answer), tmp_path)] == [
        judges.Finding("checkov", "CKV_1", "asks", "Deployment/shop/shop")
    ]
    assert not [*judges.checkov(says(tmp_path, {"parsing_errors": 0, "resource_count": 0}), tmp_path)]
    with pytest.raises(judges.JudgeError, match="could not read"):
        [*judges.checkov(says(tmp_path, {"parsing_errors": 1}), tmp_path)]


def test_silence_is_no_answer(judges: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "silent"
    file.write_text("#!/bin/sh\necho no >&2; exit 3\n")
    file.chmod(0o755)
    with pytest.raises(judges.JudgeError, match="code 3 and said nothing: no"):
        [*judges.kube_score(file, tmp_path)]


def test_a_finding_without_a_reason_and_a_reason_without_a_finding(judges: ModuleType, program: ModuleType) -> None:
    known = judges.Finding("kube-score", "probes", "asks", "Deployment/shop/shop")
    new = judges.Finding("kube-score", "probes", "asks", "Job/shop/clean")
    assert not [*program.unexplained({"stack": [known]}, REASONS)]
    assert [
        "Job/shop/clean has no reason" in each for each in program.unexplained({"stack": [known, new]}, REASONS)
    ] == [True]
    assert ["nothing matches Deployment/*" in each for each in program.unexplained({"stack": []}, REASONS)] == [True]


def test_the_first_reason_that_fits_counts(judges: ModuleType, program: ModuleType) -> None:
    finding = judges.Finding("kube-score", "probes", "asks", "Deployment/shop/shop")
    reasons = {("kube-score", "probes"): {"Deployment/*": "first | of all", "*": "second"}}
    assert ["nothing matches *" in each for each in program.unexplained({"stack": [finding]}, reasons)] == [True]
    page = program.page({"kube-score": "v1"}, {"stack": 3}, {"stack": [finding]}, reasons)
    assert "| kube-score | `probes` | asks | Deployment/shop/shop; 1 stacks | first \\| of all |" in page
