"""What a site's API server leads to: its databases, dumped inside their pods, and the objects that hold data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.document_place import place_of
from shopsphere.clients.postgres import leading_pod
from shopsphere.clients.questions import CONTAINER
from shopsphere.residency.place import HOME, Seen, in_pieces
from shopsphere.residency.search import Anchored

DUMP_SECONDS = 240.0
_DUMP = ["pg_dumpall", "--no-role-passwords", "--no-sync", "--lock-wait-timeout=10s"]
"""Everything of an instance in text: all databases, tables, large objects, roles, comments and settings."""
OBJECTS = (
    "/api/v1/configmaps",
    "/api/v1/secrets",
    "/api/v1/events",
    "/api/v1/pods",
    "/api/v1/services",
    "/api/v1/namespaces",
)


class DatabaseDump:
    """All databases of a PostgreSQL instance, as a dump says; a site that follows is asked like one that leads.

    Args:
        name: how reports call it.
        cluster: the site's API.
        path: of the CloudNativePG cluster in it.
    """

    kind = "database"
    shared = False

    def __init__(self, name: str, cluster: Callable[[], Cluster], path: str) -> None:
        self.name, self._cluster, self._path = name, cluster, path

    @contextmanager
    def control(self, _word: str) -> Iterator[str]:
        """Rely on the tokens of the place's own jurisdiction: a site that follows takes no others."""
        yield HOME

    def look(self, anchored: Anchored) -> Seen:
        """Look at a dump while it is made; nothing of it is kept."""
        seen = Seen()
        cluster = self._cluster()
        document = cluster.get(self._path)
        pod = leading_pod(document)
        namespace = place_of(document).partition("/")[0]
        output = cluster.output_of(namespace, pod, CONTAINER, _DUMP, seconds=DUMP_SECONDS)
        seen.look(f"dump of {namespace}/{pod}", output, anchored)
        return seen


class ClusterObjects:
    """Config maps, secrets, events, pods, services and namespaces, as the API server shows them.

    Args:
        name: how reports call it.
        cluster: the site's API.
    """

    kind = "objects"
    shared = False

    def __init__(self, name: str, cluster: Callable[[], Cluster]) -> None:
        self.name, self._cluster = name, cluster

    @contextmanager
    def control(self, _word: str) -> Iterator[str]:
        """Rely on what no other cluster has: the identifier of its first namespace."""
        yield str(self._cluster().get("/api/v1/namespaces/kube-system")["metadata"]["uid"])

    def look(self, anchored: Anchored) -> Seen:
        """Look at each object by itself."""
        seen = Seen()
        cluster = self._cluster()
        for path in OBJECTS:
            for each in cluster.items_of_known_kind(path):
                named = each["metadata"]
                where = f"{path.rpartition('/')[2]} {named.get('namespace', '')}/{named['name']}"
                seen.look(where, in_pieces(json.dumps(each, ensure_ascii=False)), anchored)
        return seen
