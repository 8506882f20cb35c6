"""Files of the voters that sit at a site: one etcd for each pair that has a seat there."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from runbooks.install.files import Brought, HostFiles, Places
from runbooks.install.units import HARDENED, KEPT_RUNNING, NO_DEVICES, UNITS, command_line, unit
from shopsphere.estate.witness_seats import ports, seats
from shopsphere.topology import Pair, Site, Topology
from shopsphere.witness.keys import voter_files
from shopsphere.witness.voter_start import voter_command

USER = "shopsphere-witness"


def voters_at(site: Site, topology: Topology, places: Places) -> HostFiles | None:
    """Return the files of all voters at a site; None where it has no seat."""
    pairs = [each for each in topology.pairs.values() if site.name in seats(each, topology)]
    if not pairs:
        return None
    brought = [each for pair in pairs for each in _keys(pair, site, places)]
    folders = ["d /var/lib/shopsphere-witness 0755 root root -"]
    for pair in pairs:
        folders.append(f"d {_data(pair)} 0700 {USER} {USER} -")
        folders.append(f"d {_folder(pair, places)} 0750 root {USER} -")
    modes = [f"z {each.path} {each.mode} root {USER} -" for each in brought]
    written = {
        "/etc/sysusers.d/shopsphere-witness.conf": f'u {USER} - "Voters of witnesses"\n',
        "/etc/tmpfiles.d/shopsphere-witness.conf": "\n".join([*folders, *modes]) + "\n",
        **{f"{UNITS}/{_unit(pair)}": _voter_unit(pair, site, topology, places) for pair in pairs},
    }
    return HostFiles(
        site.name,
        written,
        tuple(brought),
        tuple(map(_unit, pairs)),
        tuple(_reached_by(pair, site, topology) for pair in pairs),
    )


def _unit(pair: Pair) -> str:
    return f"shopsphere-witness-{pair.name}.service"


def _data(pair: Pair) -> Path:
    return Path(f"/var/lib/shopsphere-witness/{pair.name}")


def _folder(pair: Pair, places: Places) -> PurePosixPath:
    """Of root, and the voter may read there: systemd-tmpfiles changes no file of root in a folder of another user."""
    return places.settings / f"witness-{pair.name}"


def _keys(pair: Pair, site: Site, places: Places) -> list[Brought]:
    folder = _folder(pair, places)
    origin = f"`shopsphere witness keys {pair.name}` (docs/witness.md)"
    return [
        Brought(folder / each.name, f"root:{USER}", "0640", origin) for each in voter_files(Path(folder), site.name)
    ]


def _voter_unit(pair: Pair, site: Site, topology: Topology, places: Places) -> str:
    folder = _folder(pair, places)
    command = voter_command(pair, site.name, topology, program=Path(places.etcd), data=_data(pair), keys=Path(folder))
    return unit(
        f"ShopSphere: voter of the witness of {pair.name}",
        {
            "Wants": "network-online.target",
            "After": "network-online.target",
            "StartLimitIntervalSec": "0",
        },
        {
            "ExecStart": command_line(command),
            "User": USER,
            "Group": USER,
            "Nice": "-10",  # on a busy host a voter that waits for its turn looks like one that is lost
            **KEPT_RUNNING,
            "LimitNOFILE": "65536",
            "CapabilityBoundingSet": "",
            "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
            "ReadWritePaths": str(_data(pair)),
            "OOMScoreAdjust": "-900",
            **NO_DEVICES,
            **HARDENED,
        },
    )


def _reached_by(pair: Pair, site: Site, topology: Topology) -> str:
    """Return what the host's firewall has to let in."""
    clients, peers = ports(pair, topology)
    others = [str(topology.site(each).address) for each in seats(pair, topology) if each != site.name]
    agents = [str(address) for each in pair.sites for address in topology.site(each).addresses]
    return (
        f"firewall: port {peers} for {', '.join(others) or 'nobody'} alone; "
        f"port {clients} for {', '.join(agents)} and the operators' machines alone"
    )
