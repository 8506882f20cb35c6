"""Runbooks: loading, dry run, running, stopping; on step files in a folder."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from manual_clock import ManualClock
from present import present
from runbook_steps import NAMES, acts, calls, drive, facts, make_context, write_runbook, write_step

from runbooks.engine import (
    BlockedError,
    Journal,
    Outlook,
    RunbookError,
    StepFailedError,
    load_runbook,
    look_ahead,
    read_run,
    run_runbook,
    write_report,
)
from runbooks.engine.records import Kind
from runbooks.engine.runner import ATTEMPTS
from shopsphere.foundation.clock import SYSTEM_CLOCK
from shopsphere.foundation.errors import ShopSphereError


@pytest.mark.requirement("a folder's listing is the runbook")
def test_steps_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = write_runbook(tmp_path, "10-open-shop", "02-move-all-data", "01-close-shop")
    (folder / "__init__.py").write_text("")
    (folder / "README.md").write_text("")
    runbook = load_runbook(folder)
    assert [step.name for step in runbook.steps] == ["01-close-shop", "02-move-all-data", "10-open-shop"]
    assert [step.number for step in runbook.steps] == [1, 2, 10]
    assert runbook.steps[0].label == "01-close-shop: Do 01-close-shop"


@pytest.mark.requirement("no step is left out by mistake")
def test_two_steps_with_one_number_are_refused_by_name(tmp_path: Path) -> None:
    folder = write_runbook(tmp_path, *NAMES, "02-move-more")
    with pytest.raises(RunbookError, match=r"02-move-data\.py and 02-move-more\.py"):
        load_runbook(folder)


@pytest.mark.requirement("no step is left out by mistake")
@pytest.mark.parametrize(
    "name", ["3-move-it", "03_move_it", "03-move", "03-Move-it", "103-move-it", "move-it", "_03-a-b", "03-a-b.py"]
)
def test_a_malformed_name_is_refused(tmp_path: Path, name: str) -> None:
    folder = write_runbook(tmp_path, *NAMES, name)
    with pytest.raises(RunbookError, match=re.escape(f"{name}.py")):
        load_runbook(folder)


def test_a_folder_without_steps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunbookError, match="no steps"):
        load_runbook(tmp_path)


@pytest.mark.requirement("a file that is no step is refused before anything is done")
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("def act(context)", "def act_(context)"),
        ("def act(context)", "act = None\n\ndef _act(context)"),
        ("def _note(context", "def acts(context"),
        ("TITLE = ", "TEXT = "),
        ('TITLE = "Do', 'TITLE = "" and "'),
        ("SECONDS = 5", "SECONDS = 0"),
        ("SECONDS = 5", "SECONDS = True"),
        ("SECONDS = 5", "SECONDS = float('inf')"),
        ("SECONDS = 5", "SECONDS = 5\nONCE = 1"),
        ("SECONDS = 5", "SECONDS = 5\nVARIANTS = frozenset()"),
        ("SECONDS = 5", "SECONDS = 5\nVARIANTS = {'planned'}"),
        ("SECONDS = 5", "SECONDS = 5\nVARIANTS = frozenset({'unplaned'})"),
        ("def verify(context)", "async def verify(context)"),
        ("def check(context)", "def check()"),
        ("SECONDS = 5", "import nothing_like_it"),
        ("SECONDS = 5", "SECONDS ="),
    ],
)
def test_a_file_that_is_no_step_is_refused_by_name(tmp_path: Path, right: str, wrong: str) -> None:
    folder = write_runbook(tmp_path)
    file = folder / "02-move-data.py"
    changed = file.read_text().replace(right, wrong, 1)
    assert changed != file.read_text()
    file.write_text(changed)
    with pytest.raises(RunbookError, match=r"02-move-data\.py"):
        load_runbook(folder, variants=frozenset({"planned", "unplanned"}))


@pytest.mark.requirement("a runbook has variants")
def test_a_variant_has_its_own_steps_and_those_of_all(tmp_path: Path) -> None:
    folder = write_runbook(tmp_path)
    write_step(folder, "03-warn-customers", extra='VARIANTS = frozenset({"planned"})')
    runbook = load_runbook(folder, variants=frozenset({"planned", "unplanned"}))
    assert [step.number for step in runbook.select("planned")] == [1, 2, 3, 5]
    assert [step.number for step in runbook.select("unplanned")] == [1, 2, 5]
    for wrong in (None, "unplaned"):
        with pytest.raises(RunbookError, match="planned or unplanned"):
            runbook.select(wrong)


@pytest.mark.requirement("dry run never acts and lists all blockers")
def test_a_dry_run_lists_every_blocker_and_never_acts(tmp_path: Path) -> None:
    folder = write_runbook(tmp_path)
    write_step(folder, "02-move-data", check='raise BlockedError.because("the peer lags", action="wait")')
    write_step(folder, "03-move-more", check='raise LaterError("the position after step 02")')
    write_step(folder, "04-move-rest", check='raise KeyError("peer")')
    write_step(folder, "06-end-all", check="raise SystemExit(0)")
    write_step(folder, "07-say-nothing", check="return None")
    dry = look_ahead(load_runbook(folder), None, make_context(tmp_path))
    assert [each.step.number for each in dry.blockers] == [2, 4, 6, 7]
    assert dry.forecasts[0].text == "would do 01-close-shop"
    assert dry.forecasts[2].outlook is Outlook.LATER
    assert "decided then: the position after step 02" in dry.lines()[5]
    assert "BLOCKED: the peer lags do: wait" in dry.lines()[3]
    with pytest.raises(BlockedError) as refused:
        dry.require_clear()
    for part in ("02-move-data: the peer lags", "wait", "04-move-rest: KeyError", "06-end-all", "07-say-nothing"):
        assert part in str(refused.value)
    assert "03-move-more" not in str(refused.value)
    assert acts(tmp_path) == []
    assert len(calls(tmp_path, "check")) == 7
    assert not any((tmp_path / "state" / name).exists() for name in NAMES)


@pytest.mark.requirement("a dry run is bounded in time")
def test_checks_that_hang_are_blockers_and_hide_no_other_answer(tmp_path: Path) -> None:
    folder = write_runbook(tmp_path)
    for number in range(10, 20):
        write_step(folder, f"{number}-move-more", check="import time; time.sleep(30)")
    start = time.monotonic()
    dry = look_ahead(load_runbook(folder), None, make_context(tmp_path), seconds=2)
    assert time.monotonic() - start < 15, "one bound for all, not one for each of ten"
    assert [each.step.number for each in dry.blockers] == list(range(10, 20))
    assert dry.forecasts[2].text == "would do 05-open-shop"


def test_a_clear_dry_run_lets_the_run_go_on(tmp_path: Path) -> None:
    look_ahead(load_runbook(write_runbook(tmp_path)), None, make_context(tmp_path)).require_clear()


@pytest.mark.requirement("each step has check, act, verify")
def test_a_run_looks_checks_acts_and_proves_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_runbook(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "02-move-data").touch()
    drive(tmp_path)
    assert calls(tmp_path) == [
        *(f"{what} 01-close-shop" for what in ("verify", "check", "act", "verify")),
        "verify 02-move-data",
        *(f"{what} 05-open-shop" for what in ("verify", "check", "act", "verify")),
    ]
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 3
    assert all(re.match(r" +ok +\d+\.\d s  \d\d-", line) for line in shown)
    assert ["already so" in line for line in shown] == [False, True, False]
    assert Journal.unfinished(tmp_path / "journals") is None


def write_wait(folder: Path, name: str, *, verify: str, check: str = "pass", seconds: float = 5) -> None:
    """Write a step without an act."""
    write_step(folder, name, verify=verify, check=check, seconds=seconds)
    file = folder / f"{name}.py"
    head, _, rest = file.read_text().partition("def act(context):")
    file.write_text(head + rest[rest.index("def verify") :])


@pytest.mark.requirement("a step that only waits has no act, and the journal claims none")
def test_a_step_without_an_act_waits_for_its_outcome(tmp_path: Path) -> None:
    folder = write_runbook(tmp_path)
    write_wait(folder, "02-move-data", verify='return (context.state / "calls").read_text().count("verify 02") > 2')
    drive(tmp_path)
    assert calls(tmp_path)[4:8] == [f"{what} 02-move-data" for what in ("verify", "check", "verify", "verify")]
    assert acts(tmp_path) == ["01-close-shop", "05-open-shop"]
    (path,) = (tmp_path / "journals").glob("*.jsonl")
    own = [event.kind for event in present(read_run(path)).events if event.fields.get("step") == "02-move-data"]
    assert own == [Kind.STEP_STARTED, Kind.STEP_VERIFIED]
    assert [each["outcome"] for each in write_report(path, tmp_path / "report")["steps"]] == [
        "acted",
        "waited",
        "acted",
    ]


@pytest.mark.requirement("a step is bounded in time and a failure names it")
def test_a_wait_in_vain_fails_within_its_bound_and_has_changed_nothing(tmp_path: Path) -> None:
    write_wait(tmp_path / "move", "01-wait-long", verify="return False", seconds=0.6)
    with pytest.raises(StepFailedError, match=r"within 0.6 s(.|\n)*still says no(.|\n)*this run has changed nothing"):
        drive(tmp_path)
    write_wait(tmp_path / "move", "01-wait-long", verify="return False", check='raise BlockedError("no")')
    with pytest.raises(StepFailedError, match="nothing in the way of this: Do 01-wait-long"):
        drive(tmp_path)


@pytest.mark.requirement("a step is bounded in time and a failure names it")
def test_a_step_that_never_verifies_fails_within_its_bound_and_names_itself(tmp_path: Path) -> None:
    folder = write_runbook(tmp_path)
    write_step(folder, "02-move-data", seconds=0.6, verify="return False")
    clock = ManualClock()
    with pytest.raises(StepFailedError) as failed:
        drive(tmp_path, clock)
    assert 0.4 <= clock.now <= 0.61
    for part in (
        "move stopped at step 02-move-data: Do 02-move-data",
        "within 0.6 s",
        "still says no",
        "it resumes run",
    ):
        assert part in str(failed.value)
    assert len(calls(tmp_path, "verify 02")) >= 3
    assert acts(tmp_path) == ["01-close-shop", "02-move-data"]


@pytest.mark.requirement("a step is bounded in time and a failure names it")
@pytest.mark.parametrize("function", ["act", "verify"])
def test_a_step_that_never_returns_fails_within_its_bound(tmp_path: Path, function: str) -> None:
    folder = write_runbook(tmp_path)
    write_step(folder, "02-move-data", seconds=0.3, **{function: "import time; time.sleep(30)"})
    start = time.monotonic()
    with pytest.raises(StepFailedError, match=f"02-move-data(.|\n)*{function}.* has not returned in time"):
        drive(tmp_path, SYSTEM_CLOCK)
    assert time.monotonic() - start < 20, "it hangs for 30 s"


def write_silent_step(tmp_path: Path, where: str, until: str, seconds: float = 5, extra: str = "") -> None:
    """A step whose check or act has no answer until then, an expression of `asked`, which counts the tries."""
    parts: dict[str, Any] = {where: f"""asked = (context.state / "calls").read_text().count("{where} 02")
    if not ({until}):
        raise NoAnswerError("no answer from dublin")
    (context.state / "moved").touch()""", "verify": 'return (context.state / "moved").exists()'}  # fmt: skip
    write_step(write_runbook(tmp_path), "02-move-data", seconds=seconds, extra=extra, **parts)


@pytest.mark.requirement("a site that is dead for a moment stops no runbook")
@pytest.mark.parametrize("where", ["check", "act"])
def test_what_had_no_answer_is_asked_again_a_few_times(tmp_path: Path, where: str) -> None:
    write_silent_step(tmp_path, where, f"asked >= {ATTEMPTS}")
    drive(tmp_path)
    assert len(calls(tmp_path, f"{where} 02")) == ATTEMPTS


@pytest.mark.requirement("a site that is dead stops a runbook soon, unless its step says that it pays to wait")
@pytest.mark.parametrize(("where", "extra"), [("check", "AGAIN_SECONDS = 20"), ("act", "")])
def test_what_has_no_answer_stops_the_run_soon(tmp_path: Path, where: str, extra: str) -> None:
    write_silent_step(tmp_path, where, "False", seconds=180, extra=extra)
    clock = ManualClock()
    with pytest.raises(StepFailedError, match="no answer from dublin"):
        drive(tmp_path, clock)
    assert len(calls(tmp_path, f"{where} 02")) == ATTEMPTS
    assert clock.monotonic() < 2


@pytest.mark.requirement("what a site still starts after it was away is waited for, within the step's time")
@pytest.mark.parametrize(("seconds", "tried_for"), [(180, (20, 24)), (10, (6, 10))])
def test_an_act_is_tried_again_for_a_while(tmp_path: Path, seconds: float, tried_for: tuple[float, float]) -> None:
    """In a lab a site's API answered seconds before the database operator behind its webhooks did."""
    write_silent_step(tmp_path, "act", "False", seconds=seconds, extra="AGAIN_SECONDS = 20")
    clock = ManualClock()
    begun = clock.monotonic()
    with pytest.raises(StepFailedError, match="no answer from dublin"):
        drive(tmp_path, clock)
    assert tried_for[0] <= clock.monotonic() - begun <= tried_for[1]
    assert ATTEMPTS < len(calls(tmp_path, "act 02")) < 15


@pytest.mark.parametrize("wrong", ["True", "-1", "'20'", "float('inf')"])
def test_seconds_that_are_none_are_refused(tmp_path: Path, wrong: str) -> None:
    write_silent_step(tmp_path, "act", "True", extra=f"AGAIN_SECONDS = {wrong}")
    with pytest.raises(RunbookError, match="AGAIN_SECONDS, a number of at least 0"):
        drive(tmp_path)


@pytest.mark.requirement("a refusal outside a wait stops a run at once")
@pytest.mark.parametrize("where", ["check", "act"])
def test_a_no_that_may_pass_is_not_asked_again_outside_a_wait(tmp_path: Path, where: str) -> None:
    folder = write_runbook(tmp_path)
    parts: dict[str, Any] = {where: 'raise MayPassError("403 Forbidden")'}
    write_step(folder, "02-move-data", **parts)
    with pytest.raises(StepFailedError, match="403 Forbidden"):
        drive(tmp_path)
    assert len(calls(tmp_path, f"{where} 02")) == 1


@pytest.mark.requirement("a step is bounded in time and a failure names it")
@pytest.mark.parametrize(
    ("where", "what", "found"),
    [
        ("check", 'raise BlockedError.because("the peer lags", action="wait")', "the peer lags"),
        ("check", 'raise LaterError("after step 05")', "after step 05"),
        ("act", 'raise KeyError("token")', "KeyError: 'token'"),
        ("act", "raise SystemExit(0)", "tried to end the process"),
        ("verify", 'return "yes"', "verify returned 'yes', not True or False"),
        ("verify", 'raise BlockedError("no answer from dublin")', "no answer from dublin"),
    ],
)
def test_a_failure_stops_the_run_says_what_was_found_and_can_be_resumed(
    tmp_path: Path, where: str, what: str, found: str
) -> None:
    folder = write_runbook(tmp_path)
    write_step(folder, "02-move-data", seconds=0.3, **{where: what})
    with pytest.raises(StepFailedError, match="02-move-data") as failed:
        drive(tmp_path)
    assert found in str(failed.value)
    assert "05-open-shop" not in " ".join(calls(tmp_path))
    left = present(Journal.unfinished(tmp_path / "journals"))
    failure = list(left.of(Kind.STEP_FAILED))
    assert [event.fields["step"] for event in failure] == ["02-move-data"]
    assert found in failure[0].fields["found"]
    (folder / "02-move-data.py").unlink()
    write_step(folder, "02-move-data", act='(context.state / "02-move-data").touch()  # mended')
    drive(tmp_path)
    assert Journal.unfinished(tmp_path / "journals") is None
    assert acts(tmp_path)[0] == "01-close-shop"
    assert acts(tmp_path).count("01-close-shop") == 1


NESTED = 'MayPassError.build("nobody leads", expected="a leader", found="none", action="start a site")'


@pytest.mark.requirement(
    "a step that is stopped says what was to be done, for how long, what was found, and what to do"
)
@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            {"act": 'raise BlockedError.because("this is lost", action="read it; call it again with --i-mean x")'},
            ["nothing in the way of this: Do 02-move-data", "after 0 s: this is lost",
             "read it; call it again with --i-mean x\n            (the same command then resumes run RUN)"],
        ),
        (
            {"act": f"raise {NESTED}"},
            ["this done within 600 s: Do 02-move-data",
             "after 0 s: nobody leads\n              expected: a leader\n              found:    none",
             "start a site\n            (the same command then resumes run RUN)"],
        ),
        (
            {"act": 'raise ValueError("x")'},
            ["this done within 600 s: Do 02-move-data", "after 0 s: ValueError: x",
             "fix the cause, then call the same command again\n            (it resumes run RUN)"],
        ),
        (
            {"verify": "return False"},
            ["this done within 600 s: Do 02-move-data", "after 600 s: verify still says no",
             "find out why it takes so long, then call the same command again\n            (it resumes run RUN)"],
        ),
    ],
)  # fmt: skip
def test_what_an_operator_reads_of_a_step_that_was_stopped(
    tmp_path: Path, parts: dict[str, Any], said: list[str]
) -> None:
    write_step(write_runbook(tmp_path), "02-move-data", seconds=600, **parts)
    with pytest.raises(StepFailedError) as failed:
        drive(tmp_path, ManualClock())
    run = present(Journal.unfinished(tmp_path / "journals")).run
    expected, found, action = said
    assert str(failed.value) == (
        "runbook move stopped at step 02-move-data: Do 02-move-data\n"
        f"  expected: {expected}\n  found:    {found}\n  do:       {action.replace('RUN', run)}"
    )


@pytest.mark.requirement("a refusal before anything was done leaves nothing to be finished")
@pytest.mark.parametrize(("blocked", "touched"), [("01-close-shop", False), ("02-move-data", True)])
def test_a_journal_knows_whether_anything_was_touched(tmp_path: Path, blocked: str, touched: bool) -> None:
    write_step(write_runbook(tmp_path), blocked, check='raise BlockedError("not now")')
    with Journal.start(tmp_path / "journals", facts()) as journal:
        with pytest.raises(StepFailedError, match="it resumes run" if touched else "this run has changed nothing"):
            run_runbook(load_runbook(tmp_path / "move"), make_context(tmp_path), journal)
        assert journal.touched is touched
    with Journal.resume(journal.path, actor="bob") as resumed:
        assert resumed.touched is touched


@pytest.mark.requirement("a site that is dead for a moment stops no runbook")
def test_an_error_of_ours_in_verify_is_a_no_that_may_change(tmp_path: Path) -> None:
    folder = write_runbook(tmp_path)
    late = """if (context.state / "calls").read_text().count("verify 02") < 3:
        raise BlockedError("dead")
    return True"""
    write_step(folder, "02-move-data", verify=late)
    drive(tmp_path)
    assert len(calls(tmp_path, "verify 02")) == 3
    assert "02-move-data" in acts(tmp_path)


@pytest.mark.requirement("nothing is done on the word of a wrong journal")
def test_a_journal_of_another_runbook_or_an_ended_run_drives_nothing(tmp_path: Path) -> None:
    runbook = load_runbook(write_runbook(tmp_path))
    context = make_context(tmp_path)
    with Journal.start(tmp_path / "journals", facts(runbook="failback")) as other:
        with pytest.raises(RunbookError, match="failback"):
            run_runbook(runbook, context, other)
        other.abandon(actor="ann", reason="wrong one")
    with Journal.start(tmp_path / "journals", facts()) as journal:
        run_runbook(runbook, context, journal)
        before = calls(tmp_path)
        with pytest.raises(ShopSphereError, match="has ended"):
            run_runbook(runbook, context, journal)
    assert calls(tmp_path) == before


@pytest.mark.requirement("every step's times are recorded")
def test_the_journal_has_times_of_every_boundary(tmp_path: Path) -> None:
    write_runbook(tmp_path)
    drive(tmp_path)
    (path,) = (tmp_path / "journals").iterdir()
    record = present(read_run(path))
    assert [event.kind for event in record.events] == [
        Kind.RUN_STARTED,
        *[Kind.STEP_STARTED, Kind.STEP_ACTING, Kind.STEP_ACTED, Kind.STEP_VERIFIED] * 3,
        Kind.RUN_FINISHED,
    ]
    assert record.facts == facts()
    assert record.done == set(NAMES)
    walls = [event.at for event in record.events]
    assert walls == sorted(walls)
    assert all(event.fields["seconds"] >= 0 for event in record.of(Kind.STEP_VERIFIED))
