"""The built wheel in clean environments: the client alone, and the whole."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
PINNED = ROOT / "constraints/server.txt"
REPLY = (
    '{"code":"200","data":{"BTC":{"onOrders":"0","available":"0.0012"},"CWT":{"onOrders":"0","available":"400"},'
    '"SAND":{"onOrders":"0","available":"108.467"},"ETH":{"onOrders":"0","available":"0.033"},'
    '"USDT":{"onOrders":"0","available":"257.51830114"}},"msg":"SUCCESS","success":true,"failed":false}'
)


def run(*command: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == code, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.glob("spotbook-*.whl")
    return built


def environment(folder: Path, pinned: Path, wheel: Path) -> Path:
    """Make an environment with what is pinned, then the wheel and nothing more; return its folder of programs."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", folder / "bin/python", "install")
    run(*pip, "--require-hashes", "--no-deps", "--requirement", pinned)
    run(*pip, "--no-deps", "--no-index", wheel)
    return folder / "bin"


def client_only(pinned: str) -> str:
    """Return what is pinned for httpx2 and msgspec and for what these need, by the notes of who needs what."""
    blocks = re.split(r"^(?=[a-z0-9])", pinned, flags=re.MULTILINE)
    needed_by = {}
    for block in blocks[1:]:
        name = re.split("[=[ ]", block, maxsplit=1)[0]
        needed_by[name] = (set(re.findall(r"^ +# +(?:via +)?([a-z0-9-]+)$", block, re.MULTILINE)), block)
    wanted = {"httpx2", "msgspec"}
    while more := {name for name, (users, _) in needed_by.items() if users & wanted} - wanted:
        wanted |= more
    return "".join(block for name, (_, block) in needed_by.items() if name in wanted)


def test_the_client_alone(wheel: Path, tmp_path: Path) -> None:
    pinned = tmp_path / "client.txt"
    pinned.write_text(client_only(PINNED.read_text(encoding="utf-8")), encoding="utf-8")
    programs = environment(tmp_path / "venv", pinned, wheel)
    script = "import spotbook.client, importlib.util as u; print(u.find_spec('click'), u.find_spec('cryptography'))"
    assert run(programs / "python", "-c", script).stdout == "None None\n"
    for command in ((programs / "spotbook", "demo"), (programs / "python", "-m", "spotbook")):
        told = run(*command, code=2)
        assert told.stdout == ""
        assert 'pip install "spotbook[server]"' in told.stderr
        assert "Traceback" not in told.stderr


def test_the_whole(wheel: Path, tmp_path: Path) -> None:
    programs = environment(tmp_path / "venv", PINNED, wheel)
    assert REPLY in run(programs / "spotbook", "demo", "--show").stdout.splitlines()
    assert run(programs / "spotbook", "--version").stdout.startswith("spotbook ")
