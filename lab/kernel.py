"""What the lab needs of the kernel, each asked of the kernel itself."""

from __future__ import annotations

import os
import shutil
import socket
import struct
from pathlib import Path

from shopsphere.foundation.process import run

CONTROLLERS_V1 = {"cpu", "cpuset", "memory", "pids", "devices", "freezer", "blkio"}
CONTROLLERS_V2 = {"cpu", "cpuset", "memory", "pids", "io"}
CGROUPS = Path("/sys/fs/cgroup")
NETLINK_NETFILTER = 12
NFNL_SUBSYS_NFTABLES = 10
NFT_MSG_GETGEN = 16
NLMSG_ERROR = 2
NLM_F_REQUEST = 1


def missing_kernel_features() -> list[str]:
    """Name every feature that is not there, and what it is for."""
    checks = {
        "TUN/TAP (/dev/net/tun cannot be opened): the lab's WAN": tun_opens(),
        "overlayfs: root file systems of containers": has_file_system("overlay"),
        "nf_tables: kube-proxy": nf_tables_answers(),
        "namespaces (pid, mnt, uts, net, ipc): hosts": all(
            Path(f"/proc/self/ns/{name}").exists() for name in ("pid", "mnt", "uts", "net", "ipc")
        ),
    }
    missing = [feature for feature, present in checks.items() if not present]
    controllers = missing_controllers()
    if controllers:
        missing.append(f"cgroup controllers {', '.join(sorted(controllers))}: limits of pods")
    return missing


def tun_opens() -> bool:
    """Whether a TAP device could be made."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError:
        return False
    return True


def has_file_system(name: str) -> bool:
    """Whether the kernel has a file system, built in or as a module that loads."""
    if listed(name):
        return True
    if shutil.which("modprobe"):
        run(["modprobe", name], check=False, seconds=20)
    return listed(name)


def listed(file_system: str) -> bool:
    """Whether /proc/filesystems names it now."""
    return any(line.split()[-1] == file_system for line in Path("/proc/filesystems").read_text().splitlines() if line)


def missing_controllers(root: Path = CGROUPS) -> set[str]:
    """Controllers of cgroup v2, or of v1 and hybrid, that are not there."""
    unified = root / "cgroup.controllers"
    if unified.exists():
        return CONTROLLERS_V2 - set(unified.read_text().split())
    mounted = {entry.name for entry in root.iterdir()} if root.is_dir() else set()
    return {name for name in CONTROLLERS_V1 if name not in mounted}


def nf_tables_answers() -> bool:
    """Ask nf_tables for its generation number over netlink: an error message means that it is not there."""
    header = struct.pack("=IHHII", 20, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, NLM_F_REQUEST, 1, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
            netlink.settimeout(2)
            netlink.send(header + struct.pack("=BBH", 0, 0, 0))
            answer = netlink.recv(4096)
    except OSError:
        return False
    return int(struct.unpack("=H", answer[4:6])[0]) != NLMSG_ERROR
