"""Nobody moves the pair, its ledger is at both sites, and a deployment would bring secrets and nothing else."""

from datetime import UTC, datetime

from runbooks.databases import all_follow
from runbooks.engine.errors import BlockedError
from runbooks.rotation.renewal_run import Renewal
from shopsphere.estate.pair_secrets import SESSION_SECRET, other_name
from shopsphere.estate.renewal import DATABASE_CERTIFICATES, SESSION_KEYS
from shopsphere.witness import Sync

TITLE = "Check that both sites work, that nobody moves the pair, and that nothing else is to be deployed"
SECONDS = 420


def check(renewal: Renewal) -> str:
    """Say what is looked at; refuse while the pair could not bear a fault.

    Where certificates have ended that this is to renew, it cannot bear one before that is done.
    """
    record = renewal.rotation.require_steady()
    if record.sync is not Sync.ON and not renewal.has_ended():
        raise BlockedError.because(
            f"the ledger of {renewal.rotation.pair.name} is at one site only (sync off)",
            action=f"`shopsphere ready {renewal.rotation.pair.name}` says why; begin when it passes. Where "
            f"certificates of databases have ended, begin with them: --only {DATABASE_CERTIFICATES.name}",
        )
    if not renewal.recall("new"):
        renewal.rotation.stacks.require_equal(renewal.kind)
        _require_old_cookies_gone(renewal)
    return "previews of both sites have to show no change; then nothing but secrets is deployed"


def act(renewal: Renewal) -> None:
    """Preview both sites, before anything is new."""
    rotation = renewal.rotation
    if not renewal.has_ended() and not all_follow(rotation.access, rotation.sites[1], rotation.sites[0]):
        raise BlockedError.because(
            f"{rotation.sites[0]} does not stream both databases", action=f"`shopsphere ready {rotation.pair.name}`"
        )
    rotation.deployment.require_no_changes(rotation.sites)
    renewal.remember("checked", value=True)


def verify(renewal: Renewal) -> bool:
    """It was looked at in this run; what came after it changes what a preview shows."""
    return bool(renewal.recall("checked"))


def _require_old_cookies_gone(renewal: Renewal) -> None:
    rotation = renewal.rotation
    held = rotation.stacks.of(rotation.stacks.stacks[0])
    if renewal.kind is not SESSION_KEYS or rotation.sign_out or other_name(SESSION_SECRET) not in held:
        return
    until = rotation.old_sessions_until
    if until is None or until > datetime.now(UTC):
        when = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "for as long as sessions live, since nobody knows when"
        raise BlockedError.because(
            f"cookies of the key before the present one are believed {when}, and would not be any more",
            action="rotate the other kinds (--only), or say --sign-out if these customers may have to sign in again",
        )
