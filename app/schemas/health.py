"""Liveness and readiness."""

from typing import Literal

from msgspec import Struct


class Health(Struct, omit_defaults=True):
    """The service answers.

    `warnings` count what the operator has to look at, by code: spaces that the database does not have as the key store
    has them. `onefold verify` names the spaces.
    """

    status: Literal["ok"]
    warnings: dict[Literal["space_missing", "space_renamed"], int] = {}
