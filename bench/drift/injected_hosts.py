"""Drifts of what filters packets on a site's host, by `nft`: tables that nobody declared."""

from __future__ import annotations

from acts import INSIDE, Act
from injections import MARK, Ground, Injection, Prepared

_NAME = MARK.replace("-", "_")


def hosts(ground: Ground) -> list[Injection]:
    """Return all of them: tables of their own, so that neither the fence nor the cluster's own rules are harmed."""

    def nft(*words: str) -> Act:
        return Act(INSIDE, ("nft", *words), ground.site)

    def table(family: str, *chain: str) -> Injection:
        rules = (nft("add", "chain", family, _NAME, *chain),) if chain else ()
        prepared = Prepared((nft("add", "table", family, _NAME), *rules), (nft("delete", "table", family, _NAME),))
        object_ = f"nftables {family} {_NAME} at {ground.site}"
        return Injection("host's packet filter", ground.site, object_, "", "nft", "hosts", "", lambda _: prepared)

    return [table("inet"), table("ip", "way_out", "{ type nat hook postrouting priority 50 ; }")]
