"""Units for the operators' machine: `ready` and drills by the clock, figures for Prometheus, and the watcher."""

from __future__ import annotations

from collections.abc import Collection

from runbooks.install.files import Brought, HostFiles, Places
from runbooks.install.units import HARDENED, KEPT_RUNNING, PYTHON, UNITS, Section, sections, unit
from shopsphere.estate.paths import MACHINE_RECORDS
from shopsphere.estate.stack import Environment
from shopsphere.topology import Topology

USER = "shopsphere-operations"
_METRICS = "shopsphere-metrics.service"
_WHEN = {
    "ready": ("hourly", "15min"),
    "drill": ("Tue *-*-* 04:00:00 UTC", "30min"),
}
"""When each begins, and within how much time after that: not all pairs at once."""


def operations_files(topology: Topology, places: Places, named: Collection[str] = ()) -> HostFiles:
    """Return the files of the operators' machine: a unit of each kind for pairs, and a timer where it has one.

    Args:
        topology: with the pairs.
        places: on the host.
        named: pairs whose voters the edge's stack names: others are not there yet. None means all of them.
    """
    pairs = [each for each in topology.pairs if each in named] or list(topology.pairs)
    told = "all" if len(pairs) == len(topology.pairs) else " ".join(pairs)
    program = str(places.repository / ".venv" / "bin" / "shopsphere")
    environment = places.settings / "operations.env"

    def service(description: str, words: list[str], *, stays: bool, unsaid: Collection[str] = ()) -> str:
        runs: Section = KEPT_RUNNING if stays else {"Type": "oneshot"}
        return unit(
            f"ShopSphere: {description}",
            {"Wants": "network-online.target", "After": "network-online.target"},
            {
                # Not by `command_line`: a template's %i and a variable are meant.
                "ExecStart": " ".join([program, *words]),
                "WorkingDirectory": str(places.repository),
                "Environment": (*PYTHON["Environment"], *unsaid),
                "EnvironmentFile": str(environment),
                "User": USER,
                "Group": USER,
                **runs,
                "CapabilityBoundingSet": "",
                "ReadWritePaths": str(MACHINE_RECORDS),
                "PrivateDevices": "yes",
                "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
                **{key: value for key, value in HARDENED.items() if key not in {"UMask", "SystemCallErrorNumber"}},
                "UMask": "0007",  # records are for all operators of the machine
            },
            None if stays else {},
        )

    drill = 'drill %i --environment prod --execute --reason "by the clock"'
    written = {
        "/etc/sysusers.d/shopsphere-operations.conf": f'u {USER} - "ShopSphere by the clock"\n',
        "/etc/tmpfiles.d/shopsphere-operations.conf": _readable(places),
        str(environment): "\n".join(
            [
                f"SHOPSPHERE_RECORDS={MACHINE_RECORDS}/prod/runbooks",
                "METRICS_LISTEN=127.0.0.1:9469",
                f'METRICS_OF="{told}"',
                f"# The operator of the witness as whom this machine moves pairs, where {USER} can read several keys:",
                "# SHOPSPHERE_OPERATOR=NAME",
                "",
            ]
        ),
        f"{UNITS}/shopsphere-ready@.service": service("is %i ready?", ["ready %i --environment prod"], stays=False),
        f"{UNITS}/shopsphere-drill@.service": service("a drill of %i", [drill], stays=False),
        f"{UNITS}/shopsphere-watch@.service": service(
            "moves %i when its site is lost", ["watch %i --environment prod --execute"], stays=True
        ),
        f"{UNITS}/{_METRICS}": service(
            # Without braces systemd makes a word of each pair.
            "figures for Prometheus",
            ["metrics $METRICS_OF --environment prod --listen ${METRICS_LISTEN}"],
            stays=True,
            unsaid=["METRICS_OF=all"],  # a file of before does not say it
        ),
        **{f"{UNITS}/shopsphere-{verb}@.timer": _timer(verb) for verb in _WHEN},
    }
    keys = Brought(
        places.settings,
        "root:root",
        "0755",
        "with witness-keys, edge-keys, archive-keys and kubeconfigs, as the stacks' files name them",
    )
    timers = [f"shopsphere-{verb}@{pair}.timer" for verb in _WHEN for pair in pairs]
    return HostFiles("operations", written, (keys,), (_METRICS, *timers))


def _readable(places: Places) -> str:
    """Return the lines for systemd-tmpfiles: what programs of the group read, and nothing that only `up` may.

    Each file is named: beside them there may be keys of the zone, of the deployer, or of a witness's root. The folder
    above is open, for a voter of the same machine is another user.
    """
    edge, witness, archive = (places.settings / f"{name}-keys" for name in ("edge", "witness", "archive"))
    folders = [places.settings, edge, witness, witness / "*", archive, archive / "*"]
    files = [
        places.settings / "{watch,drift,operate}.kubeconfig",
        edge / "{ca,cdn}.crt",
        edge / "{runbooks,watcher}.{crt,key}",
        witness / "*/ca.crt",
        witness / "*/{operator,watcher}.*",
        archive / "*/{ca.crt,operator.secret}",
    ]
    records = MACHINE_RECORDS / Environment.PROD / "runbooks"
    shared = [MACHINE_RECORDS, records.parent, records, records / "drills", records / "reports"]
    lines = [f"d {each} 2770 root {USER} -" for each in shared]
    # What `up` and a drill have left there before: files of records, and no folder that is another user's.
    lines += [f"z {records / each} 0660 - {USER} -" for each in ("*.jsonl", "drills/*.json")]
    lines.append(f"d {places.settings} 0755 root root -")
    lines += [f"z {each} 0750 root {USER} -" for each in folders[1:]]
    lines += [f"z {each} 0640 root {USER} -" for each in files]
    return "\n".join([*lines, ""])


def _timer(verb: str) -> str:
    begins, within = _WHEN[verb]
    return sections(
        {
            "Unit": {"Description": f"ShopSphere: {verb} of %i by the clock"},
            "Timer": {"OnCalendar": begins, "RandomizedDelaySec": within, "Persistent": "no"},
            "Install": {"WantedBy": "timers.target"},
        }
    )
