"""Places as they are named to a site: what is needed to find each, and nothing about what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.powerdns import DnsAuthority, connect_inside
from shopsphere.residency.place import Place
from shopsphere.residency.place_cluster import ClusterObjects, DatabaseDump
from shopsphere.residency.place_edge import CacheMemory, Zones
from shopsphere.residency.place_etcd import Etcd
from shopsphere.residency.place_files import Folder, Looked
from shopsphere.residency.place_links import Links
from shopsphere.witness.identity import Identity
from shopsphere.witness.users import ROOT

_REQUEST_SECONDS = 10.0


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str


class FolderSpec(_Spec):
    """A folder of the host."""

    how: Literal["folder"] = "folder"
    path: Path
    kind: Literal["files", "log"] = "files"
    deep: bool = True

    def place(self, looked: Looked) -> Place:
        """Return the place."""
        return Folder(self.name, self.path, looked, kind=self.kind, deep=self.deep)


class EtcdSpec(_Spec):
    """An etcd."""

    how: Literal["etcd"] = "etcd"
    url: str
    shared: bool = False
    keys: Path | None = None
    """Folder of a witness's keys: its root sees every key."""

    def place(self, _looked: Looked) -> Place:
        """Return the place."""
        identity = Identity(self.keys, ROOT) if self.keys else None
        return Etcd(self.name, self.url, shared=self.shared, identity=identity)


class _ClusterSpec(_Spec):
    kubeconfig: Path
    context: str

    def cluster(self) -> Cluster:
        """Return the client of the site's API."""
        return Cluster(self.kubeconfig, self.context, seconds=_REQUEST_SECONDS)


class DatabaseSpec(_ClusterSpec):
    """A CloudNativePG cluster, by its path in the site's API."""

    how: Literal["database"] = "database"
    path: str

    def place(self, _looked: Looked) -> Place:
        """Return the place."""
        return DatabaseDump(self.name, self.cluster, self.path)


class ObjectsSpec(_ClusterSpec):
    """The objects of a cluster."""

    how: Literal["objects"] = "objects"

    def place(self, _looked: Looked) -> Place:
        """Return the place."""
        return ClusterObjects(self.name, self.cluster)


class ZonesSpec(_Spec):
    """A DNS authority, asked on its own host."""

    how: Literal["zones"] = "zones"
    url: str
    key_file: Path
    domain: str

    def place(self, _looked: Looked) -> Place:
        """Return the place."""
        return Zones(self.name, self._authority, self.domain)

    def _authority(self) -> DnsAuthority:
        return connect_inside(self.name, self.url, str(self.key_file))


class CacheSpec(_Spec):
    """A cache's memory."""

    how: Literal["cache"] = "cache"
    programs: tuple[str, ...]
    port: int
    host: str

    def place(self, _looked: Looked) -> Place:
        """Return the place."""
        return CacheMemory(self.name, self.programs, self.port, self.host)


class LinksSpec(_Spec):
    """The links of a host to places outside its jurisdiction."""

    how: Literal["links"] = "links"
    interface: str
    foreign: tuple[str, ...] = Field(min_length=1)
    seconds: float = Field(gt=0, le=120)

    def place(self, _looked: Looked) -> Place:
        """Return the place."""
        return Links(self.name, self.interface, self.foreign, self.seconds)


PlaceSpec = Annotated[
    FolderSpec | EtcdSpec | DatabaseSpec | ObjectsSpec | ZonesSpec | CacheSpec | LinksSpec, Field(discriminator="how")
]
