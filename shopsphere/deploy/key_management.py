"""Production keeps secrets under a key management: a passphrase is as good as the place where somebody wrote it."""

from __future__ import annotations

from shopsphere.estate import stack_files
from shopsphere.estate.stack import Environment, StackId
from shopsphere.foundation.errors import ShopSphereError

KEY_MANAGEMENTS = ("awskms://", "azurekeyvault://", "gcpkms://", "hashivault://")
"""What Pulumi's names of key managements begin with."""
PROVIDER = "secretsprovider"


class NoKeyManagementError(ShopSphereError):
    """A stack of production would keep its secrets under a passphrase."""


def require_key_management(stack: StackId) -> None:
    """Refuse a stack of production whose secrets are under a passphrase; the lab's are of no worth.

    Raises:
        NoKeyManagementError: its file names no key management.
    """
    if stack.environment is Environment.LAB:
        return
    file = stack_files.project_file(stack)
    provider = str(stack_files.read(file).get(PROVIDER, ""))
    if provider.startswith(KEY_MANAGEMENTS):
        return
    raise NoKeyManagementError.build(
        f"{stack.label}: its secrets would be kept under a passphrase",
        expected=f"{PROVIDER} at the top of {file.name}, which begins with one of {', '.join(KEY_MANAGEMENTS)}",
        found=provider or "none, which means a passphrase",
        action=f"where the stack exists: `pulumi stack change-secrets-provider PROVIDER --stack {stack.name}` in its "
        f"folder; else write {PROVIDER} into the file",
    )
