"""What a preview works with: a configuration of its own in a temporary folder, so that it leaves nothing behind."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shopsphere.deploy.environment import common_variables, variables
from shopsphere.deploy.event_log_secrets import event_log_keys
from shopsphere.estate import stack_files
from shopsphere.estate.pair_secrets import ARCHIVE_SECRET_NAMES, GATEWAY_SECRET_NAMES, PAIR_SECRET_NAMES
from shopsphere.estate.paths import pulumi_home
from shopsphere.estate.stack import Environment, StackId
from shopsphere.topology import Topology

PROGRAM = "program"


@dataclass(frozen=True)
class Draft:
    """A stack as a preview sees it.

    Attributes:
        stack: which one it is.
        is_set_up: it exists where its state is kept; if not, its state is empty and in the temporary folder too.
        folder: where `pulumi` runs: the project itself, or the temporary folder.
        config_file: the configuration, always in the temporary folder.
        variables: environment of `pulumi`.
        stand_ins: secrets that are not set, or cannot be read before the stack exists, and have throw-away values.
    """

    stack: StackId
    is_set_up: bool
    folder: Path
    config_file: Path
    variables: Mapping[str, str]
    stand_ins: tuple[str, ...]


@contextmanager
def drafted(topology: Topology, stack: StackId, *, is_set_up: bool) -> Iterator[Draft]:
    """Make what a preview of a stack needs, and remove it afterwards.

    A preview is a question, so it makes no secrets, no passphrase, no stack and no state, and does not touch the
    stack's file. The configuration is what `up` would write. Where `up` would first make secrets, the preview uses
    throw-away values: the engine masks values of secrets anyway, so that what it shows is the same.

    Args:
        topology: says which stacks share secrets.
        stack: the stack.
        is_set_up: it exists where its state is kept.

    Raises:
        ShopSphereError: the stack's committed configuration is missing or not filled in.
    """
    document = _document(stack)
    config: dict[str, Any] = document.get("config", {})
    if not is_set_up:
        # Nothing can decrypt these before the stack exists.
        encrypted = [key for key, value in config.items() if stack_files.is_encrypted(value)]
        document = {key: value for key, value in document.items() if not key.startswith(("encr", "secretsprov"))}
        config = {key: value for key, value in config.items() if key not in encrypted}
    else:
        encrypted = []
    missing = [key for key in _made_by_up(topology, stack) if _is_unset(config.get(key)) and key not in encrypted]
    stand_ins = sorted({*encrypted, *missing})
    document["config"] = {**config, **dict.fromkeys(stand_ins, stack_files.STAND_IN)}
    names = tuple(key.partition(":")[2] for key in stand_ins)
    with tempfile.TemporaryDirectory(prefix="shopsphere-preview-") as place:
        folder = Path(place)
        file = folder / f"Pulumi.{stack.name}.yaml"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        pulumi_home().mkdir(parents=True, exist_ok=True)
        if is_set_up:
            yield Draft(stack, is_set_up, stack.folder, file, variables(stack), names)
        else:
            yield Draft(stack, is_set_up, folder, file, _empty_project(stack, folder), names)


def _document(stack: StackId) -> dict[str, Any]:
    """Return the stack's file as `up` would write it."""
    if stack.environment is not Environment.LAB:
        stack_files.check_production_file(stack, made_here=frozenset(PAIR_SECRET_NAMES))
    return stack_files.wanted(stack)


def _made_by_up(topology: Topology, stack: StackId) -> list[str]:
    """Return the keys of the secrets that `up` makes where they are missing."""
    if stack.region not in topology.pairs:
        return []
    archived = ARCHIVE_SECRET_NAMES if stack.site and topology.archive_of(stack.site) else ()
    lab = (*GATEWAY_SECRET_NAMES, *archived) if stack.environment is Environment.LAB else ()
    return [f"{stack_files.NAMESPACE}:{name}" for name in (*PAIR_SECRET_NAMES, *lab)] + event_log_keys(stack)


def _empty_project(stack: StackId, folder: Path) -> dict[str, str]:
    """Make a project of the stack's program with an empty state, and return the environment to work on it."""
    project = stack_files.read(stack.folder / "Pulumi.yaml")
    (folder / PROGRAM).symlink_to(stack.folder, target_is_directory=True)
    options = project["runtime"]["options"] if isinstance(project["runtime"], dict) else {}
    if "virtualenv" in options:
        options["virtualenv"] = str((stack.folder / options["virtualenv"]).resolve())
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({**project, "main": PROGRAM}, sort_keys=False))
    state = folder / "state"
    state.mkdir()
    return {
        **common_variables(),
        "PULUMI_BACKEND_URL": f"file://{state}",
        # Encrypts nothing that outlives the preview.
        "PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe(32),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def _is_unset(value: Any) -> bool:
    return value is None or stack_files.PLACEHOLDER in str(value)
