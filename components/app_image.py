"""AppImage: the shop's image, built by the owner's Docker engine, pushed to a registry of its jurisdiction."""

from __future__ import annotations

from typing import TypedDict

import pulumi
import pulumi_docker

from shopsphere.estate.site_config import ImageBuild


class AppImageArgs(TypedDict):
    """What is known only at run time."""

    image: pulumi.Input[str]
    """Reference to push to: registry, repository and tag."""
    password: pulumi.Input[str]
    """Password at the registry."""


class AppImage(pulumi.ComponentResource):
    """Builds and pushes; workloads then run exactly the digest that was pushed."""

    reference: pulumi.Output[str]
    """The pushed image by its digest."""

    def __init__(
        self, name: str, build: ImageBuild, args: AppImageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("shopsphere:site:AppImage", name, {}, opts)
        image = pulumi_docker.Image(
            name,
            image_name=args["image"],
            build=pulumi_docker.DockerBuildArgs(context=build.context, dockerfile=build.dockerfile),
            registry=pulumi_docker.RegistryArgs(
                server=build.registry, username=build.username, password=args["password"]
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.reference = image.repo_digest
        self.register_outputs({"reference": self.reference})
