"""When the certificates end with which this machine asks both sites' API servers, each as the role of its program."""

from __future__ import annotations

from datetime import datetime

from runbooks.readiness.pair_view import PairView
from shopsphere.foundation.certificate_ends import judge_certificates
from shopsphere.foundation.finding import Finding

RENEW = "`shopsphere policy certificate SITE --role ROLE` says what to do (docs/production.md, step 2)"


def judge_roles(view: PairView, now: datetime) -> Finding:
    """Judge the certificates of the kubeconfigs that the sites' stack files name, as far as they are here."""
    ends = {
        f"the certificate of {role} at {site}": end
        for site in view.pair.sites
        for role, end in view.access.role_certificates(site).items()
    }
    return judge_certificates(ends, now, RENEW)
