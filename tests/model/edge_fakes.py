"""DNS authorities and a CDN in memory, with faults to order."""

from shopsphere.clients.edge_errors import ServiceError
from shopsphere.clients.powerdns import RRset


class FakeAuthority:
    """A zone store; `fails_on` names methods that refuse, `loses` makes it accept writes and forget them."""

    def __init__(self, name) -> None:
        self.name, self.zones, self.fails_on, self.loses, self.writes = name, {}, set(), False, 0

    def rrset(self, zone, name, type_):
        self._may_fail("rrset")
        return self.zones.get(zone, {}).get((name, type_))

    def replace(self, zone, rrsets) -> None:
        self._may_fail("replace")
        self.writes += 1
        if not self.loses:
            for item in rrsets:
                self.zones[zone][item.name, item.type] = self._numbered(item)

    def remove(self, zone, name, type_) -> None:
        self.zones[zone].pop((name, type_), None)

    def names(self, zone):
        return sorted(self.zones[zone]) if zone in self.zones else None

    def create_zone(self, zone, rrsets) -> None:
        self.zones[zone] = {}
        self.replace(zone, rrsets)

    def delete_zone(self, zone) -> None:
        self.zones.pop(zone, None)

    def _may_fail(self, method) -> None:
        if method in self.fails_on:
            raise ServiceError(f"DNS authority {self.name} does not answer")

    def _numbered(self, item):
        """Set the serial as a server does: it counts its own writes."""
        if item.type != "SOA":
            return item
        fields = item.records[0].split()
        fields[2] = str(self.writes)
        return RRset(item.name, item.type, item.ttl, (" ".join(fields),))


class FakeCdn:
    """A CDN's configuration store."""

    def __init__(self) -> None:
        self.documents = {}

    def get(self, name):
        return self.documents.get(name)

    def put(self, name, document) -> None:
        self.documents[name] = document

    def delete(self, name) -> None:
        self.documents.pop(name, None)
