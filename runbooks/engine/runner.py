"""Carries a runbook out: each step looked at, acted on where needed, and proven, with a journal of it all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from runbooks.engine import bounded
from runbooks.engine.crash import Crash, Point
from runbooks.engine.errors import ADVICE, BlockedError, RunbookError, StepFailedError, describe
from runbooks.engine.journal import Journal
from runbooks.engine.lines import WriteFailedError
from runbooks.engine.records import JournalError
from runbooks.engine.steps import Runbook, Step
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock, WaitExpiredError, wait_until
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError, one_line
from shopsphere.foundation.progress import say
from shopsphere.foundation.progress import step as shown

_BELOW = f"\n{' ' * 12}"
POLL_SECONDS = 0.2
ATTEMPTS = 3  # of a check or an act that ends with no answer; of an act with AGAIN_SECONDS more, for so long
LONGEST_PAUSE = 3.0
LOOK_SECONDS = 5.0  # bound on a look at whether the outcome is there
CHECK_SECONDS = 10.0  # bound on a check, asked again and all


def run_runbook(
    runbook: Runbook,
    context: Any,
    journal: Journal,
    *,
    may_act: Callable[[], object] = lambda: None,
    clock: Clock = SYSTEM_CLOCK,
) -> None:
    """Carry out the steps of the journal's variant, from the first, and end the journal.

    A step whose outcome is there is not acted on, whether this run brought it about or somebody else. So a resumed run
    asks every step anew; one that is undone in the meantime is acted on again. Only a step with ONCE is left out on
    the journal's word.

    After a failure the process should end before the run is resumed: an `act` that ran out of time lives in a thread
    until then.

    Args:
        runbook: whose steps.
        context: handed to the steps' functions, which run in threads.
        journal: just started or resumed for this runbook.
        may_act: called before each act and each repetition of one; raises when this run may change nothing any more.
        clock: replaceable in tests.

    Raises:
        RunbookError: the journal belongs to another runbook, or the variant is unknown.
        JournalError: the run has ended.
        StepFailedError: names the step, what was found and what to do; the run can be resumed.
        UsageError: the crash point for tests is wrong.
        WriteFailedError: the journal could not be written.
    """
    if journal.facts.runbook != runbook.name:
        raise RunbookError.build(
            f"runbook {runbook.name}: the journal belongs to another runbook",
            expected=runbook.name,
            found=f"{journal.facts.runbook} in {journal.path}",
            action="resume with the command that started the run, or abandon it",
        )
    if journal.ended:
        raise JournalError(f"journal {journal.path}: the run has ended\n  do:       start a new run")
    steps = runbook.select(journal.facts.variant)
    execution = _Execution(runbook, context, journal, Crash.from_environment(steps), may_act, clock)
    for step in steps:
        execution.carry_out(step)
    journal.finish()


class _Execution:
    """What one run's steps share, and what is known of the current one."""

    def __init__(
        self,
        runbook: Runbook,
        context: Any,
        journal: Journal,
        crash: Crash,
        may_act: Callable[[], object],
        clock: Clock,
    ) -> None:
        self._runbook = runbook
        self._context = context
        self._journal = journal
        self._crash = crash
        self._may_act = may_act
        self._clock = clock
        self._expected = ""  # of the phase that a step is in
        self._seen = ""  # by the last look

    def carry_out(self, step: Step) -> None:
        """Bring one step about, or stop the run."""
        if step.once and self._journal.is_done(step):
            say(f"  done before, not repeated  {step.label}")
            return
        start = self._clock.monotonic()
        self._journal.step_started(step)
        self._crash.reach(step, Point.BEFORE)
        try:
            with shown(step.label) as line:
                if self._bring_about(step, start):
                    line.note = "already so"
        except WriteFailedError:
            raise  # not the step's fault, and no line about it could be written
        except BaseException as error:
            found = describe(error)
            with suppress(WriteFailedError):  # the step's own failure is what the operator needs to see
                self._journal.step_failed(step, self._clock.monotonic() - start, one_line(found))
            if isinstance(error, Exception):
                raise self._stopped(step, error, self._clock.monotonic() - start) from error
            raise

    def _bring_about(self, step: Step, start: float) -> bool:
        """Return True when there was nothing to do."""
        self._expected = f"an answer whether this is done: {step.title}"
        already = self._look(step, min(step.seconds, LOOK_SECONDS))
        if not already:
            self._expected = f"nothing in the way of this: {step.title}"
            self._ask(lambda: step.check(self._context), what="check", end=self._clock.monotonic() + CHECK_SECONDS)
            if step.act:
                start += self._await_permission()  # it is no time of the step's
            self._act_and_wait(step, start)
        self._crash.reach(step, Point.VERIFIED)
        self._journal.step_verified(step, self._clock.monotonic() - start, already=already)
        return already

    def _act_and_wait(self, step: Step, start: float) -> None:
        end = self._clock.monotonic() + step.seconds
        if step.act:
            self._act(step, step.act, start, end)
        else:
            self._crash.reach(step, Point.ACTED)
        self._expected = f"this done within {step.seconds:g} s: {step.title}"
        left = end - self._clock.monotonic() - POLL_SECONDS  # the last look begins before the end
        try:
            wait_until(
                lambda: self._look(step, min(LOOK_SECONDS, end - self._clock.monotonic())),
                what="the outcome",
                seconds=max(0.0, left),
                interval=POLL_SECONDS,
                clock=self._clock,
            )
        except WaitExpiredError:
            raise bounded.OutOfTimeError(self._seen) from None

    def _await_permission(self) -> float:
        """Return how long (s) it took until this run might change something."""
        self._expected, asked = "the right to change the pair", self._clock.monotonic()
        self._may_act()
        return self._clock.monotonic() - asked

    def _act(self, step: Step, act: Callable[[Any], None], start: float, end: float) -> None:
        self._expected = f"this done within {step.seconds:g} s: {step.title}"
        self._journal.step_acting(step, self._clock.monotonic() - start)

        def allowed() -> None:
            self._may_act()
            act(self._context)

        self._ask(allowed, what="act", end=end, again=not step.once, patience=step.again_seconds)
        self._crash.reach(step, Point.ACTED)
        self._journal.step_acted(step, self._clock.monotonic() - start)

    def _ask(
        self, work: Callable[[], object], *, what: str, end: float, again: bool = True, patience: float = 0.0
    ) -> None:
        """Call `check` or `act`; what had no answer is asked again, as the operator would with the same command."""
        begun, pause = self._clock.monotonic(), POLL_SECONDS
        for attempt in count(1):
            try:
                bounded.call(work, what=what, seconds=end - self._clock.monotonic())
            except NoAnswerError as error:
                now = self._clock.monotonic()
                tired = attempt >= ATTEMPTS and now - begun >= patience
                if not again or tired or now + pause >= end:
                    raise
                say(f"         {what} again, after no answer: {one_line(error)}")
                self._clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                return

    def _look(self, step: Step, seconds: float) -> bool:
        """Ask `verify`; an error of ours, as from a site that does not answer, is a no that may change.

        Raises:
            TypeError: it returned neither True nor False, as a forgotten `await` or `return` does.
        """
        try:
            answer: object = bounded.call(
                lambda: step.verify(self._context), what="verify", seconds=max(seconds, POLL_SECONDS)
            )
        except ShopSphereError as error:
            self._seen = f"verify had no answer: {error}"
            return False
        if not isinstance(answer, bool):
            raise TypeError(f"verify returned {answer!r}, not True or False")
        self._seen = "verify still says no"
        return answer

    def _stopped(self, step: Step, error: Exception, seconds: float) -> ShopSphereError:
        """Return what an operator reads: what was to be done, what kept it from that after how long, what to do."""
        found, has_advice, advice = describe(error).partition(ADVICE)
        goes_on = f"the same command then resumes run {self._journal.run}"
        if not has_advice:
            waited = isinstance(error, bounded.OutOfTimeError)
            advice = (
                f"{'find out why it takes so long' if waited else 'fix the cause'}, then call the same command again"
            )
            goes_on = f"it resumes run {self._journal.run}"
        left = goes_on if self._journal.touched else "this run has changed nothing"
        return StepFailedError.build(
            f"runbook {self._runbook.name} stopped at step {step.label}",
            expected=f"nothing in the way of this: {step.title}" if isinstance(error, BlockedError) else self._expected,
            found=f"after {seconds:.0f} s: {found}".replace("\n", _BELOW),
            action=f"{advice}\n({left})".replace("\n", _BELOW),  # on a line of its own: advice may end with a command
        )
