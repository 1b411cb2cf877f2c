"""The page of mutation testing gives the reasons that are kept, and they are of lines that are there."""

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOL: dict[str, Any] = runpy.run_path(str(ROOT / "tools/mutation"))
ROOMS: list[str] = list(TOOL["ROOMS"])


@pytest.mark.parametrize("room", ROOMS)
def test_the_page_gives_every_reason(room: str) -> None:
    assert TOOL["reasons"](room) in (ROOT / "docs/reference/mutation.md").read_text()


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_explained_is_a_line_of_its_module(room: str) -> None:
    for where, was, became, why in TOOL["explanations"](room):
        module = where.rpartition(".")[0]
        paths = [ROOT / "src/spotbook" / f"{name.replace('.', '/')}.py" for name in (module, module.rpartition(".")[0])]
        [source] = [path.read_text() for path in paths if path.is_file()]
        assert was in {line.strip() for line in source.splitlines()}, where
        assert became
        assert was not in became
        assert why.endswith(".")
