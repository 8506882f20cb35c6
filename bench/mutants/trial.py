"""Runs tests against one mutant, in a fork of a process that has loaded all but the policies and the tests."""

import gc
import importlib
import importlib.util
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from mutators import REPOSITORY, Mutant
from plain import first_failure
from tests_of import Stage

WARM = (
    "hypothesis", "pydantic", "yaml", "pulumi", "pulumi_policy", "pulumi_kubernetes", "kubernetes", "httpx",
    "cryptography.x509", "rich.console", "xml.etree.ElementTree", "shopsphere.topology.report",
    "shopsphere.estate.site_declaration", "shopsphere.status", "shopsphere.deploy.declared_graph",
    "runbooks.readiness.p05_capacity",
)  # fmt: skip
MEMORY_BYTES = 6 * 2**30
"""A mutant whose loop never ends fills memory."""
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-seed=0")


def warm() -> None:
    """Load once what every trial needs.

    Raises:
        RuntimeError: the policies are loaded by that: a trial would not see its mutant.
    """
    sys.path.insert(0, str(REPOSITORY))
    for name in WARM:
        importlib.import_module(name)
    early = [name for name in sys.modules if name.partition(".")[0] == "policies"]
    if early:
        raise RuntimeError(f"expected no module of policies/ before the trial, found {early[:3]}; shorten WARM")
    gc.freeze()


class _Loader(SourceFileLoader):
    """Loads the mutant instead of the file's text."""

    mutant: Mutant

    def get_code(self, fullname: str) -> CodeType | None:
        return self.mutant.code() if fullname == self.mutant.module else super().get_code(fullname)


@dataclass(frozen=True)
class _Finder:
    mutant: Mutant

    def find_spec(self, fullname: str, _path: object = None, _target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.mutant.module:
            return None
        file = str(REPOSITORY / self.mutant.file)
        loader = _Loader(fullname, file)
        loader.mutant = self.mutant
        return importlib.util.spec_from_file_location(fullname, file, loader=loader)


@dataclass(frozen=True)
class _Failed:
    """Writes down which test was the first to fail."""

    file: Path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._write(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write(f"{report.nodeid} (collection)")

    def _write(self, name: str) -> None:
        if not self.file.exists():
            self.file.write_text(name)


def replaced(mutant: Mutant) -> Callable[[], None]:
    """What a fork does first: put the mutant in its module's place."""
    return lambda: sys.meta_path.insert(0, _Finder(mutant))


@dataclass(frozen=True)
class Outcome:
    """What the tests said.

    Attributes:
        code: pytest's; -1 when the time was over.
        by: first test that failed; empty when none is known.
        seconds: it took.
    """

    code: int
    by: str
    seconds: float

    @property
    def killed(self) -> bool:
        return self.code != 0


@dataclass
class Trial:
    """Tests that run in a fork; `outcome` is None until they have ended.

    Attributes:
        change: what the fork does before it loads a test.
        stage: its tests.
        bound: seconds.
    """

    change: Callable[[], None]
    stage: Stage
    bound: float

    def __post_init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mutant-")
        self.started = time.monotonic()
        self.process = os.fork()
        if self.process == 0:
            self._run_and_exit()

    def _run_and_exit(self) -> None:
        code = 3
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
            os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = self.folder.name
            output = os.open(f"{self.folder.name}/output", os.O_WRONLY | os.O_CREAT)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.chdir(REPOSITORY)
            self.change()
            code = self._called() if self.stage.is_plain else self._run_by_pytest()
        finally:
            os._exit(code)  # whatever happened, a fork never goes on with its parent's work

    def _called(self) -> int:
        folder = Path(self.folder.name) / "production"
        folder.mkdir()
        if failed := first_failure(self.stage.files, folder):
            (Path(self.folder.name) / "failed").write_text(failed)
        return 1 if failed else 0

    def _run_by_pytest(self) -> int:
        base = ["--basetemp", f"{self.folder.name}/tests"]
        failed = _Failed(Path(self.folder.name) / "failed")
        return int(pytest.main([*OPTIONS, *base, *self.stage.files], plugins=[failed]))

    def outcome(self) -> Outcome | None:
        seconds = time.monotonic() - self.started
        process, status = os.waitpid(self.process, os.WNOHANG)
        if process == 0 and seconds < self.bound:
            return None
        if process == 0:
            os.killpg(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        code = -1 if process == 0 else os.waitstatus_to_exitcode(status)
        failed = Path(self.folder.name) / "failed"
        by = failed.read_text() if failed.exists() else ("time was over" if code == -1 else "")
        self.output = (Path(self.folder.name) / "output").read_text(errors="replace")[-3000:]
        self.folder.cleanup()
        return Outcome(code, by, round(seconds, 2))

    def wait(self) -> Outcome:
        while (found := self.outcome()) is None:  # ends at the bound
            time.sleep(0.02)
        return found
