"""The event log's image: its jars are pinned, others are refused, and a lab makes it when a stack names it."""

import hashlib
from pathlib import Path

import pytest

from lab.images import java
from lab.images.catalogue import IMAGES
from lab.images.java import Jar, JarsError, check_jars, locked_jars
from lab.images.wanted import wanted_images


@pytest.mark.requirement("each jar of the event log is known by its hash")
def test_the_lock_pins_what_pom_xml_asks_for() -> None:
    found = {f"{jar.group}:{jar.artifact}": jar for jar in locked_jars()}
    assert len(found) == 92
    for name, version in (
        ("org.apache.kafka:kafka_2.13", "4.4.0"),
        ("org.apache.kafka:kafka-tools", "4.4.0"),
        ("org.apache.logging.log4j:log4j-slf4j-impl", "2.25.5"),
    ):
        assert found[name].version == version
        assert f"<version>{version}</version>" in (java.SOURCES / "pom.xml").read_text()
    assert IMAGES["kafka"].tag == found["org.apache.kafka:kafka_2.13"].version


def test_another_jar_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    content = b"a jar"
    jar = Jar("org.example", "one", "1.0", hashlib.sha256(content).hexdigest())
    (tmp_path / jar.file).write_bytes(content)
    check_jars(tmp_path, (jar,))
    (tmp_path / "two-1.0.jar").write_bytes(content)
    with pytest.raises(JarsError, match=r"two-1\.0\.jar is not in the lock"):
        check_jars(tmp_path, (jar,))
    (tmp_path / "two-1.0.jar").unlink()
    (tmp_path / jar.file).write_bytes(b"another")
    with pytest.raises(JarsError, match=r"one-1\.0\.jar has SHA-256"):
        check_jars(tmp_path, (jar,))
    (tmp_path / jar.file).unlink()
    with pytest.raises(JarsError, match=r"one-1\.0\.jar is missing"):
        check_jars(tmp_path, (jar,))


def test_a_lock_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jars.lock").write_text("# a note\n\nabc  org.example:one:1.0\n")
    with pytest.raises(JarsError, match="line 3"):
        locked_jars(tmp_path / "jars.lock")


def test_a_lab_makes_the_image_when_a_stack_names_it(tmp_path: Path) -> None:
    assert "kafka" in wanted_images(), "the lab's sites have an event log"
    assert "kafka" not in wanted_images(tmp_path)
    (tmp_path / "rdc-a").mkdir()
    file = tmp_path / "rdc-a" / "lab-frankfurt.base.yaml"
    file.write_text("config:\n  shopsphere:images: {kafka: localhost/shopsphere/kafka:4.4.0}\n")
    assert "kafka" in wanted_images(tmp_path)
