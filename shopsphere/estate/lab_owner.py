"""Which checkout a lab's stack files belong to.

The stack files in a checkout are links into the lab. A copy of the checkout has the same links, so that a preview there
would change what the running lab was deployed from.
"""

from __future__ import annotations

from pathlib import Path

from shopsphere.estate.paths import pulumi_directory
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import REPOSITORY


def owner_file() -> Path:
    """Where the lab says which checkout deploys to it."""
    return pulumi_directory() / "stacks" / "checkout"


def require_own_lab(checkout: Path = REPOSITORY) -> None:
    """Note that a checkout deploys to the lab: the first one to ask, or any one after the noted one is gone.

    Raises:
        ShopSphereError: another checkout does.
    """
    file = owner_file()
    owner = file.read_text().strip() if file.exists() else ""
    if owner == str(checkout):
        return
    if owner and Path(owner).is_dir():
        raise ShopSphereError.build(
            "this checkout's stack files belong to a lab that another checkout deploys to",
            expected=f"to be called in {owner}",
            found=str(checkout),
            action=f"work there, or set SHOPSPHERE_LAB to a folder of its own; remove {file} to take the lab over",
        )
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(file, f"{checkout}\n", mode=0o600)
