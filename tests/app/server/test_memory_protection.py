"""The memory of a server is in no core dump, and its environment holds no root key."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROGRAM = """
import ctypes, os, resource
from app.main import application
application()
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
print(resource.getrlimit(resource.RLIMIT_CORE), dumpable, "ONEFOLD_ROOT_KEY" in os.environ)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is of Linux")
def test_attack_187_a_worker_writes_no_core_and_leaves_no_root_key_in_its_environment(tmp_path: Path) -> None:
    """Programs that it starts inherit no root key either."""
    environment = {
        "ONEFOLD_ROOT_KEY": base64.b64encode(bytes(32)).decode(),
        "ONEFOLD_DATABASE_URL": "postgresql://localhost/none",
        "ONEFOLD_DATA_DIR": str(tmp_path),
        "ONEFOLD_ADMIN_TOKEN": "0123456789abcdef",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "(0, 0) 0 False"
