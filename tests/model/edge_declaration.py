"""What the edge declares for two sites, at services that are nowhere."""

from typing import Any

from components.edge.cdn_origin import CdnOriginModel
from components.edge.global_dns import GlobalDnsModel
from shopsphere.estate.edge_config import EdgeConfig
from shopsphere.names.pair_state import PairDeclaration
from shopsphere.topology import load_topology

ZONE = "shopsphere.test."
TOPOLOGY = load_topology()
CONFIG = EdgeConfig.model_validate(
    {
        "dnsAuthorities": [
            {"name": "ns1", "url": "https://10.0.0.1:8081/"},
            {"name": "ns2", "url": "https://10.0.0.2:8081"},
        ],
        "edgeKeys": "/edge keys",
        "nameservers": [{"name": "ns1", "address": "10.0.0.1"}, {"name": "ns2", "address": "10.0.0.2"}],
        "cdnUrl": "https://10.0.0.3:8082",
        "cdnAddress": "10.0.0.3",
        "origins": [{"site": "frankfurt"}, {"site": "dublin"}],
    }
)
DNS = GlobalDnsModel.of(TOPOLOGY, CONFIG)
STATE = DNS.state_inputs(DNS.pairs["rdc-a"])
RDC_A = PairDeclaration.of(STATE)
CDN: dict[str, Any] = CdnOriginModel.of(TOPOLOGY, CONFIG).inputs()
