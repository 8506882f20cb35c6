"""Drifts of what filters packets on a site's host: the fence's table, and tables that nobody declared, by `nft`."""

from __future__ import annotations

from acts import INSIDE, Act
from injections import MARK, Ground, Injection, Prepared

_BENCH = ("table", "inet", MARK.replace("-", "_"))


def hosts(ground: Ground) -> list[Injection]:
    """Return all of them: tables of their own, so that neither the fence nor the cluster's own rules are harmed."""
    name = " ".join(_BENCH[1:])

    def nft(*words: str) -> Act:
        return Act(INSIDE, ("nft", *words), ground.site)

    def table(field: str, *rules: tuple[str, ...]) -> Injection:
        prepared = Prepared((nft("add", *_BENCH), *(nft("add", *each) for each in rules)), (nft("delete", *_BENCH),))
        return Injection("host's packet filter", ground.site, f"{name}", field, "nft", "hosts", "", lambda _: prepared)

    chain = ("chain", *_BENCH[1:], "way_out", "{ type nat hook postrouting priority srcnat - 50 ; }")
    return [table(""), table("chain way_out", chain)]
