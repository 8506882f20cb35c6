"""The picture of the architecture is that of topology.yaml."""

from xml.etree import ElementTree as ET

from shopsphere.topology import diagram, load_topology


def test_the_committed_picture_is_current() -> None:
    assert diagram.PICTURE.read_text() == diagram.draw(load_topology()), "run `shopsphere diagram --write`"


def test_the_picture_is_a_document_that_names_every_site_and_region() -> None:
    topology = load_topology()
    text = diagram.draw(topology)
    ET.fromstring(text)
    for site in topology.sites.values():
        assert site.city in text
    for pair in topology.pairs:
        assert pair.upper() in text
