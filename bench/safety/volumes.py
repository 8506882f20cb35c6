"""Volumes of a site that are small enough to run full."""

from pathlib import Path
from typing import TYPE_CHECKING

from command import shopsphere

from lab.enter import run_inside
from shopsphere.estate.databases import DatabaseModel

if TYPE_CHECKING:
    from pair import PairUnderTest  # which holds a SmallVolumes

MORE = "select pg_logical_emit_message(false, 'bench', repeat('x', 16000000)) from generate_series(1, 20)"


class SmallVolumes:
    """Volumes that were made small, until `lift_limits`; `under_test` gives power and the sites' APIs."""

    def __init__(self, under_test: "PairUnderTest") -> None:
        self._under_test = under_test
        self._limited: set[tuple[str, str]] = set()

    def limit(self, site: str, database: DatabaseModel, mebibytes: int) -> None:
        """Let a database's volume at a site hold so much more than it does; takes a restart of the site."""
        volume = self._name(site, database)
        held = int(run_inside(site, ["du", "-sm", f"/srv/volumes/{volume}"]).stdout.split()[0])
        self._under_test.power_off(site)
        self._limited.add((site, volume))
        shopsphere("lab", "limit-volume", site, volume, str(held + mebibytes))
        self._under_test.power_on(site)

    def fill(self, site: str, database: DatabaseModel) -> None:
        """Fill it up, and let the database need more."""
        filler = f"/srv/volumes/{self._name(site, database)}/filler"
        run_inside(site, ["dd", "if=/dev/zero", f"of={filler}", "bs=1M"], check=False)
        shopsphere("lab", "psql", site, database.name, "--", "-c", MORE, check=False, seconds=60)

    def lift_limits(self) -> None:
        for site, volume in list(self._limited):
            self._under_test.power_off(site)
            shopsphere("lab", "limit-volume", site, volume, "0")
            self._under_test.power_on(site)
            run_inside(site, ["rm", "-f", f"/srv/volumes/{volume}/filler"])
            self._limited.discard((site, volume))

    def _name(self, site: str, database: DatabaseModel) -> str:
        cluster = self._under_test.access.cluster(site)
        claims = f"/api/v1/namespaces/{database.namespace.name}/persistentvolumeclaims"
        (claim,) = cluster.items(claims, labelSelector=f"cnpg.io/cluster={database.cluster(site)}")
        volume = cluster.get(f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
        return Path(volume["spec"]["local"]["path"]).name
