"""New secrets are in both stacks, beside the old ones where two can be believed."""

from runbooks.rotation.renewal_run import Renewal
from shopsphere.deploy.secrets import NAMESPACE

TITLE = "Make new secrets and keep them, encrypted, in both stacks"
SECONDS = 120


def check(renewal: Renewal) -> str:
    """Say which."""
    names = ", ".join(f"{NAMESPACE}:{name}" for name in renewal.kind.names)
    return f"{names}; overlap: {renewal.kind.overlap}"


def act(renewal: Renewal) -> None:
    """Make and write them, or go on with those that were made."""
    renewal.make()


def verify(renewal: Renewal) -> bool:
    """Both stacks hold them, or are further."""
    return renewal.stacks_hold(renewal.first)
