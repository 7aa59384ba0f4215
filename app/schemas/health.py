"""Liveness and readiness."""

from typing import Literal

from msgspec import Struct


class Health(Struct):
    """How the service is."""

    status: Literal["ok"]
