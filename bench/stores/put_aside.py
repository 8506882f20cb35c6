"""Objects of a store that are missing or damaged for a while, and are put back as they were."""

import os
import shutil
from pathlib import Path


class PutAside:
    """Takes objects out of the folder of a store; the folder beside it remembers them, also after a kill.

    Args:
        store: folder of the store.
        aside: folder that keeps what was taken, on the same file system, in the same order of folders.
    """

    def __init__(self, store: Path, aside: Path) -> None:
        self._store, self._aside = store, aside

    @property
    def left(self) -> list[Path]:
        """What has to be put back, by its place in the store."""
        found = sorted(self._aside.rglob("*")) if self._aside.exists() else []
        return [each.relative_to(self._aside) for each in found if each.is_file()]

    def take(self, bucket: str, key: str) -> None:
        """Let an object be missing.

        Raises:
            FileNotFoundError: it is not there.
            FileExistsError: it was taken before.
        """
        own, kept = self._places(bucket, key)
        own.rename(kept)

    def damage(self, bucket: str, key: str) -> None:
        """Let one byte in the middle of an object be another one; the gateway's notes of it stay.

        Raises:
            FileNotFoundError: it is not there.
            FileExistsError: it was taken before.
        """
        own, kept = self._places(bucket, key)
        changed = kept.with_name(f"{kept.name}.changed")
        shutil.copy2(own, changed)
        with changed.open("r+b") as content:
            middle = content.seek(0, os.SEEK_END) // 2
            content.seek(middle)
            byte = content.read(1)
            content.seek(middle)
            content.write(bytes([byte[0] ^ 1]))
        own.rename(kept)
        changed.rename(own)

    def put_back(self) -> list[str]:
        """Put everything back that is left, and return its places in the store."""
        places = self.left
        for each in places:
            own = self._store / each
            if each.name.endswith(".changed"):  # of a run that ended before it was in its place
                (self._aside / each).unlink()
                continue
            own.parent.mkdir(parents=True, exist_ok=True)
            (self._aside / each).replace(own)
        if self._aside.exists():
            shutil.rmtree(self._aside)
        return [str(each) for each in places]

    def _places(self, bucket: str, key: str) -> tuple[Path, Path]:
        own, kept = self._store / bucket / key, self._aside / bucket / key
        if kept.exists():
            raise FileExistsError(f"{kept} was taken before\n  do: python bench/stores --undo")
        if not own.is_file():
            raise FileNotFoundError(f"{own}: no such object")
        kept.parent.mkdir(parents=True, exist_ok=True)
        return own, kept
