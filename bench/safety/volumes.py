"""Volumes of a site that are small enough to run full."""

from pathlib import Path
from typing import TYPE_CHECKING

from command import shopsphere

from lab.enter import run_inside
from lab.volumes import host_of
from shopsphere.estate.databases import DatabaseModel

if TYPE_CHECKING:
    from pair import PairUnderTest  # which holds a SmallVolumes

MORE = "select pg_logical_emit_message(false, 'bench', repeat('x', 16000000)) from generate_series(1, 20)"


class SmallVolumes:
    """Volumes that were made small, until `lift_limits`; `under_test` gives power and the sites' APIs."""

    def __init__(self, under_test: "PairUnderTest") -> None:
        self._under_test = under_test
        self._limited: set[tuple[str, str, str]] = set()

    def limit(self, site: str, database: DatabaseModel, mebibytes: int) -> None:
        """Let a database's volumes at a site hold so much more than they do; takes a restart of the site.

        Those of all its instances: else another one would be let lead, and the site would go on.
        """
        places = self._places(site, database)
        held = [int(run_inside(host, ["du", "-sm", f"/srv/volumes/{each}"]).stdout.split()[0]) for host, each in places]
        self._under_test.power_off(site)
        for (host, volume), size in zip(places, held, strict=True):
            self._limited.add((site, host, volume))
            shopsphere("lab", "limit-volume", host, volume, str(size + mebibytes))
        self._under_test.power_on(site)

    def fill(self, site: str, database: DatabaseModel) -> None:
        """Fill them up, and let the database need more."""
        for host, volume in self._places(site, database):
            run_inside(host, ["dd", "if=/dev/zero", f"of=/srv/volumes/{volume}/filler", "bs=1M"], check=False)
        shopsphere("lab", "psql", site, database.name, "--", "-c", MORE, check=False, seconds=60)

    def lift_limits(self) -> None:
        for site in {each[0] for each in self._limited}:
            self._under_test.power_off(site)
            own = [each for each in self._limited if each[0] == site]
            for _, host, volume in own:
                shopsphere("lab", "limit-volume", host, volume, "0")
            self._under_test.power_on(site)
            for _, host, volume in own:
                run_inside(host, ["rm", "-f", f"/srv/volumes/{volume}/filler"])
            self._limited.difference_update(own)

    def _places(self, site: str, database: DatabaseModel) -> list[tuple[str, str]]:
        """Host and directory of the volume of each instance."""
        cluster = self._under_test.access.cluster(site)
        claims = f"/api/v1/namespaces/{database.namespace.name}/persistentvolumeclaims"
        found = []
        for claim in cluster.items(claims, labelSelector=f"cnpg.io/cluster={database.cluster(site)}"):
            volume = cluster.get(f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
            found.append((host_of(volume, site), Path(volume["spec"]["local"]["path"]).name))
        return found
