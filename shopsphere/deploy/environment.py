"""What Pulumi needs from outside a project: backend, passphrase, programs."""

from __future__ import annotations

import os

from shopsphere.estate import stack_files
from shopsphere.estate.access import AccessError, StateAccess, read_access
from shopsphere.estate.lab_owner import require_own_lab
from shopsphere.estate.paths import passphrase_file, pulumi_home, state_directory
from shopsphere.estate.stack import Environment, StackId
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.files import secret_in
from shopsphere.foundation.paths import REPOSITORY, tools_directory
from shopsphere.foundation.pulumi_options import OPTION, take_options_away

POLICIES = REPOSITORY / "policies"
ENFORCEMENT = POLICIES / "enforcement.json"
"""Configuration of the pack that each run names: whatever else would configure it counts for nothing."""


def program_path() -> str:
    """PATH with the built tools and this checkout's Python first."""
    own = [str(tools_directory()), str(REPOSITORY / ".venv" / "bin")]
    return os.pathsep.join([*own, os.environ.get("PATH", os.defpath)])


def common_variables() -> dict[str, str]:
    """Return the part of the environment that is the same for every stack; variables that are options go."""
    take_options_away()
    return {
        "PATH": program_path(),
        "PULUMI_HOME": str(pulumi_home()),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # The projects and the dynamic providers import components from the checkout, installed or not.
        "PYTHONPATH": str(REPOSITORY),
        # The policy pack tells Pulumi its port on a pipe, and never flushes it: a run would wait for it without end.
        "PYTHONUNBUFFERED": "1",
    }


def pack_variables() -> dict[str, str]:
    """Return what makes a plain `pulumi preview` or `up` run the policy pack, each rule mandatory."""
    return {
        f"{OPTION}POLICY_PACK": str(POLICIES),
        f"{OPTION}POLICY_PACK_CONFIG": str(ENFORCEMENT),
    }


def variables(stack: StackId) -> dict[str, str]:
    """Return the environment with which `pulumi` works on a stack.

    Raises:
        ShopSphereError: a production stack does not say where its state is kept.
    """
    if stack.environment is Environment.LAB:
        own = {
            "PULUMI_BACKEND_URL": f"file://{state_directory(stack.jurisdiction)}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase_file(stack.jurisdiction)),
            # The lab reaches no registry: a missing plugin is an error at once, not after a download has timed out.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
    else:
        own = {"PULUMI_BACKEND_URL": production_backend(stack)}
    return {**common_variables(), **own}


def production_backend(stack: StackId) -> str:
    """Return where a production stack keeps its state, from its own configuration.

    Raises:
        ShopSphereError: it is not said, or a placeholder.
    """
    try:
        found = read_access(StateAccess, stack).state_backend or os.environ.get("PULUMI_BACKEND_URL", "")
    except AccessError as error:
        raise _no_backend(stack, one_line(error)) from error
    if not found:
        raise _no_backend(stack, "nothing")
    return found


def prepare(stack: StackId) -> None:
    """Make the lab's state folder and passphrase where they are missing; production has its own.

    Raises:
        ShopSphereError: the lab is another checkout's.
    """
    pulumi_home().mkdir(parents=True, exist_ok=True)
    if stack.environment is not Environment.LAB:
        return
    require_own_lab()
    state_directory(stack.jurisdiction).mkdir(parents=True, exist_ok=True)
    file = passphrase_file(stack.jurisdiction)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret_in(file)  # two runs at once end up with the same passphrase


def _no_backend(stack: StackId, found: str) -> ShopSphereError:
    file = stack_files.project_file(stack).name
    return ShopSphereError.build(
        f"{stack.label}: nobody has said where the state of {stack.name} is kept",
        expected=f"{stack_files.NAMESPACE}:stateBackend in {file}: storage in jurisdiction {stack.jurisdiction}, "
        "outside the site itself",
        found=found,
        action="fill it in; README.md, “Your own clusters”, says how",
    )
