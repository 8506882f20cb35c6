"""Configuration of ulogd, which writes a line for each packet that a host's firewall or its policies refused.

Debian's ulogd2 reads the NFLOG group of `host_firewall` and sleeps until the kernel tells something. A line has the
time, the interface, both addresses and both ports, as the kernel's own log would have them.
"""

from __future__ import annotations

from enum import StrEnum

from shopsphere.estate.host_firewall import LOG_GROUP

ULOGD = "/usr/sbin/ulogd"
_PLUGINS = "/usr/lib/x86_64-linux-gnu/ulogd"


class Output(StrEnum):
    """Where the lines go."""

    STDOUT = "LOGEMU"
    """To whoever started ulogd, who keeps the file small."""
    SYSLOG = "SYSLOG"
    """To the host's log, which is the journal under systemd."""


def ulogd_configuration(output: Output, plugins: str = _PLUGINS) -> str:
    """Return the text of ulogd's configuration.

    Args:
        output: where the lines go.
        plugins: folder of ulogd's plugins.
    """
    loaded = (
        *("inppkt_NFLOG", "raw2packet_BASE", "filter_IFINDEX", "filter_IP2STR", "filter_PRINTPKT"),
        f"output_{output.value}",
    )
    stack = f"log1:NFLOG,base1:BASE,ifi1:IFINDEX,ip2str1:IP2STR,print1:PRINTPKT,out1:{output.value}"
    own = ['file="/dev/stdout"', "sync=1"] if output is Output.STDOUT else ["facility=LOG_LOCAL0", "level=LOG_NOTICE"]
    lines = [
        "[global]",
        f'logfile="{"stdout" if output is Output.STDOUT else "syslog"}"',
        "loglevel=5",
        *(f'plugin="{plugins}/ulogd_{each}.so"' for each in loaded),
        f"stack={stack}",
        "[log1]",
        f"group={LOG_GROUP}",
        "qthreshold=1",  # each packet at once; by itself the kernel waits up to a second for more
        "[out1]",
        *own,
    ]
    return "\n".join(lines) + "\n"
