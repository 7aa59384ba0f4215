"""A kill -9 in the middle of work on files: each change of the file system can be the last one."""

import os
from collections.abc import Callable
from typing import Any

import pytest


class KilledError(BaseException):
    """Stands for a kill -9: no code handles it."""


class Killer:
    """Kills at the n-th call that changes the file system; counts them until then."""

    CALLS = ("fsync", "rename", "unlink", "mkdir", "rmdir")

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self._left = 0

    def run(self, act: Callable[[], object], survive: int) -> bool:
        """Runs an act that dies after `survive` changes; True where the act ended before that."""
        self._left = survive
        with self._patch.context() as patch:
            for name in self.CALLS:
                patch.setattr(os, name, self._counted(getattr(os, name)))
            try:
                act()
            except KilledError:
                return False
        return True

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if self._left == 0:
                raise KilledError
            self._left -= 1
            return call(*args, **kwargs)

        return counted
