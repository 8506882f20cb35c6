#!/bin/bash
# The owner's CDN: the lab's Varnish, the program that fetches for it, and its configuration API on loopback.
# Arguments: its address, names in its certificate.
set -eu
bash /srv/shared/certificate.sh cdn /root/cdn "$2"
cd /opt/shopsphere
.venv/bin/python - "$1" <<'END'
import subprocess
import sys
from pathlib import Path

from lab.edge.cache import cache_component, prepare_cache, tls_component
from lab.edge.components import agent_component
from lab.edge.pulls import prepare_pulls, pulls_component
from lab.edge.settings import EdgeSettings
from shopsphere.topology import load_topology

own = Path("/root/cdn")
disk = Path("/var/lib/owners-cdn")
disk.mkdir()
settings = EdgeSettings(
    disk=disk, run=Path("/run/owners-cdn"), certificate=own / "tls.crt", key=own / "tls.key", edge_keys=own,
    origin_authority=Path("/srv/shared/owner/ca.crt"), cdn=sys.argv[1], cache_megabytes=32,
)
settings.cdn_token_file.write_text(Path("/root/api.key").read_text().strip())
prepare_pulls(settings, load_topology(environment="prod"))
prepare_cache(settings)
for each in sorted((pulls_component(settings), cache_component(settings), agent_component(settings), tls_component(settings)),
                   key=lambda component: component.priority):
    told = [f"--setenv={name}={value}" for name, value in each.environment.items()]
    subprocess.run(["systemd-run", "--quiet", f"--unit=owners-{each.name}", "--property=Restart=always", "--property=RestartSec=1",
                    f"--working-directory={each.directory or '/'}", *told, *each.command], check=True)
END
