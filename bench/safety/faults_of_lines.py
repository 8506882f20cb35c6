"""Faults of the lines between sites, and of what the sites trust each other by."""

from scene import Scene

from lab.hosts import WORKSTATION


def isolation(scene: Scene) -> None:
    """Every line of the active site is cut, the operators' too; it lives on alone."""
    scene.mark("fault")
    for host in (*scene.under_test.hosts.hosts, WORKSTATION):
        if host not in scene.under_test.hosts.together(scene.active):
            scene.under_test.cut(scene.active, host)
    scene.pause(1, 4)
    scene.move("unplanned")


def partition(scene: Scene) -> None:
    """The active site loses witness, peer and operators, but customers still reach it: the classic split brain."""
    scene.mark("fault")
    for host in {*scene.under_test.voters, scene.passive, WORKSTATION}:
        scene.under_test.cut(scene.active, host)
    scene.pause(1, 4)
    scene.move("unplanned")
    scene.pause(5, 10)  # both sites are reachable meanwhile


def partition_without_fence(scene: Scene) -> None:
    """The same without a fence: two sites take orders in one epoch, and the bench has to find that out.

    For sites of one node: of several, each closes its own.
    """
    scene.under_test.fences.remove(scene.active)
    scene.under_test.fences.open_gateway(scene.active, scene.under_test.address(scene.active))
    scene.pause(9, 11)  # the lease runs out: nobody renews it
    partition(scene)


def one_way_cut(scene: Scene) -> None:
    """Nothing that the active site sends reaches witness or peer."""
    scene.mark("fault")
    for host in {*scene.under_test.voters, scene.passive}:
        scene.under_test.cut(scene.active, host, one_way=True)
    scene.pause(1, 4)
    scene.move("unplanned")
    scene.pause(3, 6)


def cut_from_witness(scene: Scene) -> None:
    """The active site loses the witness only: it shuts itself off, and is back when the witness is."""
    scene.mark("fault")
    for host in scene.under_test.voters:
        scene.under_test.cut(scene.active, host)
    scene.pause(5, 25)
    scene.under_test.heal_links()


def cut_from_peer(scene: Scene) -> None:
    """The two sites lose each other: payments go on without the peer once the witness knows, and failover waits."""
    scene.mark("fault")
    scene.under_test.cut(scene.active, scene.passive)
    scene.wait_for_sync_off()
    scene.pause(1, 10)
    scene.refused("unplanned", scene.passive, "--accept-data-loss")
    scene.under_test.heal_links()


def lossy_line(scene: Scene) -> None:
    """Some of the packets between the two sites, up to a fifth, are lost for a while."""
    scene.mark("fault")
    scene.under_test.lose(scene.active, scene.passive, scene.chance.choice([1, 5, 20]))
    scene.pause(10, 25)
    scene.under_test.heal_links()


def slow_line(scene: Scene) -> None:
    """Every line of the active site takes up to 0.4 s longer each way for a while."""
    scene.mark("fault")
    scene.facts["ms"] = (ms := scene.chance.choice([50, 150, 400]))
    for host in {*scene.under_test.voters, scene.passive}:
        scene.under_test.slow(scene.active, host, ms)
    scene.pause(10, 25)
    scene.under_test.heal_links()


def ended_certificate(scene: Scene) -> None:
    """The recovery site's certificates have ended and its connections break: payments go on without it."""
    scene.under_test.spoil_certificates(scene.passive)
    scene.pause(3, 6)  # its pods take them over
    scene.mark("fault")
    scene.under_test.cut(scene.active, scene.passive)
    scene.wait_for_sync_off()
    scene.under_test.heal_links()
    scene.pause(5, 10)
    scene.refused("unplanned", scene.passive, "--accept-data-loss")
    scene.under_test.restore_secrets()
