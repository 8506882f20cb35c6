"""Databases serve with the new certificates, and the passive site replicates by its own, while both are believed."""

from runbooks.rotation.proving_certificates import problems, reconnect
from runbooks.rotation.renewal_run import Renewal
from shopsphere.estate.renewal import DATABASE_CERTIFICATES

TITLE = "Let replication connect again, with the new certificates at both ends"
SECONDS = 120
VARIANTS = frozenset({DATABASE_CERTIFICATES.name})


def check(renewal: Renewal) -> str:
    """Say what is ended, and for how long."""
    passive, active = renewal.rotation.sites
    return f"{active} ends the replication of {passive}, which is back a moment later; payments wait for it meanwhile"


def act(renewal: Renewal) -> None:
    """End connections that began with the old certificate."""
    reconnect(renewal)


def verify(renewal: Renewal) -> bool:
    """Every server has loaded its new certificate, and both streams came with the new one."""
    return not problems(renewal)
