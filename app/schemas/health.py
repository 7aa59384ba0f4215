"""Liveness and readiness."""

from typing import Literal

from msgspec import Struct


class Health(Struct):
    """The service answers."""

    status: Literal["ok"]
