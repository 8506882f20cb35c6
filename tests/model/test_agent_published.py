"""What an agent leaves for its door: nothing older than itself, and no "open" that it could not take back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbooks.agent.doors import Doors
from runbooks.agent.published import STATE_FILE, Publisher


class Said:
    """An agent of which a test says what is open."""

    def __init__(self, folder: Path) -> None:
        self.writes, self.file = True, folder / STATE_FILE
        self.publisher = Publisher(folder, self.doors, dict, print)

    def doors(self) -> Doors:
        return Doors(databases=True, writes=self.writes, because="a test")


@pytest.mark.requirement("an agent that starts is not taken for the one that ended")
def test_the_word_of_an_agent_that_is_gone_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text('{"writes": true}')
    said = Said(tmp_path)
    assert not said.file.exists()
    said.publisher.stop()


@pytest.mark.requirement("what was said to be open is taken back, also where nothing can be written")
@pytest.mark.parametrize("writes", [True, False])
def test_a_file_that_cannot_be_written(writes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said(tmp_path)
    said.publisher.publish()
    assert json.loads(said.file.read_text())["writes"] is True

    def full(_path: Path, _text: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    said.writes = writes
    with pytest.raises(OSError, match="No space left"):
        said.publisher.publish()
    assert said.file.exists() is writes
    said.publisher.stop()
