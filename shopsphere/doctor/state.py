"""Where Pulumi keeps a stack's state, and what its secrets are encrypted with."""

from __future__ import annotations

import os
from pathlib import Path

from shopsphere.deploy.environment import variables
from shopsphere.deploy.key_management import KEY_MANAGEMENTS, PROVIDER
from shopsphere.deploy.programs import find_program
from shopsphere.estate import stack_files
from shopsphere.estate.paths import passphrase_file
from shopsphere.estate.stack import Environment, StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, fails, passes, unknown
from shopsphere.foundation.process import run

BACKEND = f"{stack_files.NAMESPACE}:stateBackend"
_FILE = "file://"
_SECONDS = 7.0


def backend(stack: StackId) -> Finding:
    """Look at a folder, or ask Pulumi for the stacks at any other backend."""
    try:
        where = variables(stack)
    except ShopSphereError:
        return fails("nobody has said where it is kept", f"fill in {BACKEND} in {stack_files.project_file(stack).name}")
    url = where["PULUMI_BACKEND_URL"]
    if url.startswith(_FILE):
        return judge_folder(Path(url.removeprefix(_FILE)).expanduser())
    command = [str(find_program("pulumi")), "stack", "ls", "--json", "--non-interactive"]
    try:
        run(command, cwd=stack.folder, env=where, seconds=_SECONDS)
    except ShopSphereError as error:
        last = str(error).strip().splitlines()[-1]
        return fails(f"{url}: {last}", "see to the way there and to its credentials on this machine")
    return passes(url)


def judge_folder(folder: Path) -> Finding:
    """Judge a folder for state; one that is missing is made where its nearest parent can be written to."""
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return fails(f"{existing} cannot be written to", "give this user the folder, or name another one")
    return passes(f"{folder}" if existing == folder else f"{folder} (not there yet, and can be made)")


def secrets_provider(stack: StackId) -> Finding:
    """Look at what encrypts the stack's secrets."""
    if stack.environment is Environment.LAB:
        file = passphrase_file(stack.jurisdiction)
        return passes("the lab's passphrase" if file.exists() else "the lab's passphrase, made at the first `up`")
    return judge_provider(str(stack_files.read(stack_files.project_file(stack)).get(PROVIDER, "")))


def judge_provider(provider: str) -> Finding:
    """Judge a key management of production."""
    if provider.startswith(KEY_MANAGEMENTS):
        return unknown(f"{provider}: a key management is asked at the first `up` only", "see to its credentials here")
    found = "none, which means a passphrase" if provider in {"", "passphrase"} else provider
    return fails(
        f"{found}; production keeps no secrets under it",
        f"set {PROVIDER} in the stack's file to one that begins with {', '.join(KEY_MANAGEMENTS)}",
    )
