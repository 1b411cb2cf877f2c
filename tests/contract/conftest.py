"""The stores that every test of this room is run over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spotbook.app.ports import Reader, Store
from support.disks import Disk, MemoryDisk, SqliteDisk


@pytest.fixture(params=["memory", "sqlite"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    return MemoryDisk() if request.param == "memory" else SqliteDisk(tmp_path)


@pytest.fixture
def store(disk: Disk) -> Iterator[Store]:
    opened = disk.open()
    yield opened
    opened.close()


@pytest.fixture
def reader(store: Store) -> Iterator[Reader]:
    made = store.reader()
    yield made
    made.close()
