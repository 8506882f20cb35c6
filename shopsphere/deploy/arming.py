"""Proof that the policy pack is armed: before each run, a program is previewed that every rule has to refuse.

The engine's summary of a run names the packs that it loaded, also one whose rules are all switched off. Here it has to
report, for each rule that the checkout has, that it was evaluated and that it refused something.
"""

from __future__ import annotations

import json
import re
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from shopsphere.deploy.canary.refused import PROJECT, STACK
from shopsphere.deploy.engine import last_lines
from shopsphere.deploy.environment import ENFORCEMENT, POLICIES, common_variables
from shopsphere.deploy.outcomes import MANDATORY
from shopsphere.deploy.programs import find_program
from shopsphere.estate.paths import pulumi_home
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run

RULE_FILE = re.compile(r"^(?P<family>[a-z]{3})_(?P<number>[0-9]{3})_(?P<name>[a-z0-9_]+)$")
CANARY = Path(__file__).parent / "canary"
PROGRAM = "program"
SUMMARIES = ("policyAnalyzeSummaryEvent", "policyAnalyzeStackSummaryEvent")
VERDICT = "policyEvent"
SECONDS = 120
"""Bound on the preview of the canary, which takes a few (s)."""


class PackNotArmedError(ShopSphereError):
    """Rules of the policy pack did not judge, or do not refuse what they have to."""


def rules_of_checkout() -> frozenset[str]:
    """Return the names of all rules, as the engine gives them; the pack's registry holds files to the same names."""
    files = (RULE_FILE.match(file.stem) for file in POLICIES.rglob("*.py"))
    return frozenset(
        f"{found['family'].upper()}-{found['number']}-{found['name'].replace('_', '-')}" for found in files if found
    )


def require_armed_pack() -> int:
    """Preview the canary, accept only a pack of which every rule refuses it, and return the number of rules.

    Raises:
        PackNotArmedError: names the rules that did not judge, or did not refuse.
        ShopSphereError: `pulumi` is nowhere, or does not end.
    """
    rules = rules_of_checkout()
    require_refusals(_events(), rules)
    return len(rules)


def require_refusals(events: Iterable[Mapping[str, Any]], rules: frozenset[str]) -> None:
    """Accept only events in which each rule was evaluated, and refused something as mandatory.

    Args:
        events: of the canary's preview, as the engine writes them.
        rules: names of all rules that there have to be.

    Raises:
        PackNotArmedError: they show anything else.
    """
    evaluated: set[str] = set()
    refusing: set[str] = set()
    for event in events:
        for kind in SUMMARIES:
            evaluated |= {name for key in ("passed", "failed") for name in event.get(kind, {}).get(key) or ()}
        verdict = event.get(VERDICT, {})
        if verdict.get("enforcementLevel") == MANDATORY:
            refusing.add(verdict.get("policyName", ""))
    silent, unknown = sorted(rules - evaluated), sorted((evaluated | refusing) - rules)
    lenient = sorted(rules - refusing)
    if silent or unknown or lenient:
        found = [
            f"{what}: {', '.join(names)}"
            for what, names in (("not evaluated", silent), ("not refusing", lenient), ("of no file", unknown))
            if names
        ]
        raise PackNotArmedError.build(
            "the policy pack is not armed; nothing was changed",
            expected=f"{len(rules)} rules of {POLICIES.name}/ that each refuse the canary, which breaks them all",
            found="; ".join(found),
            action="look for variables PULUMI_… and files that configure policies, and repeat; a new rule needs a "
            "declaration in shopsphere/deploy/canary/refused.py",
        )


def _events() -> list[Mapping[str, Any]]:
    """Preview the canary in a folder of its own, with the pack and the settings of every run."""
    with tempfile.TemporaryDirectory(prefix="shopsphere-canary-") as place:
        folder = Path(place)
        (folder / PROGRAM).symlink_to(CANARY, target_is_directory=True)
        (folder / "state").mkdir()
        runtime = {"name": "python", "options": {"virtualenv": str(REPOSITORY / ".venv")}}
        project = {"name": PROJECT, "main": PROGRAM, "runtime": runtime}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        pulumi_home().mkdir(parents=True, exist_ok=True)
        variables = {
            **common_variables(),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe(32),  # encrypts nothing
            "PULUMI_DEBUG_COMMANDS": "true",  # or --event-log is no option
        }
        pulumi = find_program("pulumi")
        run([pulumi, "stack", "init", STACK, "--non-interactive"], env=variables, cwd=folder, seconds=SECONDS)
        log = folder / "events.json"
        packs = ("--policy-pack", POLICIES, "--policy-pack-config", ENFORCEMENT)
        done = run(
            [pulumi, "preview", "--stack", STACK, "--non-interactive", "--event-log", log, *packs],
            check=False,
            env=variables,
            cwd=folder,
            seconds=SECONDS,
        )
        if not log.exists():
            raise PackNotArmedError.build(
                "the policy pack could not be tried; nothing was changed",
                expected="a preview of the canary",
                found=last_lines(done.stdout + done.stderr),
                action="see whether `pulumi` works here, then repeat",
            )
        return [json.loads(line) for line in log.read_text().splitlines() if line.strip()]
