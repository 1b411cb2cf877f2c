"""The shims: small libraries in C that stand between a server and the C library, compiled when a test asks for them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

needs_shims = pytest.mark.skipif(
    sys.platform != "linux" or COMPILER is None, reason="the shims are written for Linux and need a C compiler"
)


def compiled(name: str, folder: Path) -> Path:
    """Compile ``NAME.c`` of this folder into `folder`; return the library."""
    library = folder / f"{name}.so"
    source = Path(__file__).parent / f"{name}.c"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
    subprocess.run([str(COMPILER), *flags, "-o", str(library), str(source), "-ldl"], check=True)
    return library
