"""Closed from the first packet: no pod reaches anything outside its cluster before policies have judged it.

kube-router writes a pod's rules some tenths of a second after the pod got its address; until then nothing stands in its
way, and a connection made meanwhile would last. Its rules mark each new connection that they let through, so the host
drops what leaves the pods' network without that mark. A packet that is dropped here is sent again by its pod's kernel
after a second, and by then the rules are there: an early start costs a second, not a failure.

It fails closed: while kube-router has not yet run since the host has power, no pod reaches the outside.
Requires kube-router's mark for traffic that complies with policies (0x20000, pkg/controllers/netpol of v2.1.0).
"""

from __future__ import annotations

from shopsphere.topology import Site

TABLE = "shopsphere_pod_guard"
COMPLIES = 0x20000
"""kube-router: "set mark to ACCEPT traffic that comply to network policies"."""
_AFTER_POLICIES = 50  # the hook's priority; kube-router's chains are at 0


def rules(site: Site) -> str:
    """Return the input of `nft -f` that puts the guard up, also where it is up already; a starting host runs it."""
    inside = f"{{ {site.pod_network}, {site.service_network} }}"
    return f"""\
table ip {TABLE} {{}}
delete table ip {TABLE}
table ip {TABLE} {{
    chain forward {{
        type filter hook forward priority {_AFTER_POLICIES}; policy accept;
        ip saddr != {site.pod_network} accept
        ip daddr {inside} accept
        ct state established,related accept
        meta mark & {COMPLIES:#x} == {COMPLIES:#x} accept
        drop
    }}
}}
"""
