"""Keeps the memory of a server, which holds keys in clear, off the disk and away from other processes of its account.

A process that is not dumpable writes no core, and on Linux no other process without the rights of root reads its memory
or its environment.
"""

import ctypes
import resource
import sys
from typing import Final

_SET_DUMPABLE: Final = 4


def protect_memory() -> None:
    """Forbid core dumps of this process; a program that it starts is not protected."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
