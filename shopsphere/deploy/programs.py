"""Finding `pulumi` and giving it the Kubernetes plugin that the SDK expects."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

from shopsphere.deploy.environment import program_path
from shopsphere.estate.paths import pulumi_home
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import run

PLUGIN = "pulumi-resource-kubernetes"


def find_program(name: str) -> Path:
    """Return the path of a program among the built tools or on PATH.

    Raises:
        ShopSphereError: it is nowhere.
    """
    found = shutil.which(name, path=program_path())
    if found is None:
        raise ShopSphereError.build(
            f"{name}: not found",
            expected="the program among the built tools or on PATH",
            found=f"PATH={program_path()}",
            action="run `shopsphere lab prepare`",
        )
    return Path(found).absolute()


def ensure_kubernetes_plugin() -> None:
    """Install the provider plugin into this project's PULUMI_HOME, once.

    A plugin that is only on PATH works too, but makes Pulumi print a warning at every run.

    Raises:
        ShopSphereError: the plugin's binary is nowhere.
    """
    wanted = version("pulumi-kubernetes")
    if (pulumi_home() / "plugins" / f"resource-kubernetes-v{wanted}" / PLUGIN).exists():
        return
    binary = find_program(PLUGIN)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "plugin.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            entry = tarfile.TarInfo(PLUGIN)
            content = binary.read_bytes()
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
        install = [str(find_program("pulumi")), "plugin", "install", "resource", "kubernetes", wanted]
        run(
            [*install, "--file", str(archive)],
            env={"PULUMI_HOME": str(pulumi_home()), "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
