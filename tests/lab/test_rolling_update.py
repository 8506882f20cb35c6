"""A new version of the shop reaches customers without a failed request."""

import json
import subprocess
import sys

import pytest
from lab_access import Lab

from lab.cluster.addons import kubectl
from lab.enter import command_inside
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.full
RATE, SECONDS = 20, 60


@pytest.mark.requirement("with 20 requests/s running, a rolling update of the shop gives zero failed requests")
@pytest.mark.parametrize(
    ("namespace", "deployment"),
    [
        ("shop", "shop"),
        # How HAProxy leaves when it is told to is proven in seconds by tests/edge/test_edge_gateway.py.
        pytest.param("gateway", "gateway", marks=pytest.mark.long),
    ],
)
def test_rolling_update_fails_no_request(lab: Lab, namespace: str, deployment: str) -> None:
    client = [
        sys.executable,
        str(REPOSITORY / "bench" / "open_loop.py"),
        "--rate",
        str(RATE),
        "--seconds",
        str(SECONDS),
    ]
    load = subprocess.Popen(
        command_inside("client-eu", [*client, "https://www.shopsphere.test/"]), stdout=subprocess.PIPE, text=True
    )
    try:
        before = pods("frankfurt", namespace, deployment)
        kubectl("frankfurt", "rollout", "restart", f"deployment/{deployment}", "-n", namespace)
        kubectl(
            "frankfurt", "rollout", "status", f"deployment/{deployment}", "-n", namespace, "--timeout=400s", seconds=430
        )
        wait_until(
            lambda: not before & pods("frankfurt", namespace, deployment),
            what="every old pod to be gone",
            seconds=240,
            interval=1,
        )
        report = json.loads(load.communicate(timeout=SECONDS + 240)[0])
    finally:
        load.kill()
    assert report["sent"] == RATE * SECONDS
    assert report["failed"] == 0, report["failures"]


def pods(site: str, namespace: str, deployment: str) -> set[str]:
    words = [
        "get",
        "pods",
        "-n",
        namespace,
        "-l",
        f"app.kubernetes.io/name={deployment}",
        "--field-selector=status.phase=Running",
    ]
    return set(kubectl(site, *words, "-o", "jsonpath={.items[*].metadata.uid}").split())
