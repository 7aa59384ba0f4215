"""The answers about spaces, their keys and their jobs. The value is the answer: it holds ids in text."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from identity.values.json import JsonObject
from identity.values.public_fields import Time


class FirstKeys(Struct, rename={"import_": "import"}):
    """The secrets of the keys of a new space, one for each purpose. No later answer shows them."""

    write: str
    import_: str
    profiles: str
    privacy: str
    admin: str


class CreatedSpace(Struct):
    """A new space with its first keys."""

    space_id: str
    name: str
    keys: FirstKeys


class ListedSpace(Struct):
    """A space."""

    space_id: str
    name: str
    created_at: Time


class CreatedKey(Struct):
    """A new key. No later answer shows its secret."""

    key_id: str
    secret: str
    name: str
    scopes: list[str]


class ListedKey(Struct):
    """A key, without its secret."""

    key_id: str
    name: str
    scopes: list[str]
    created_at: Time


class JobStatus(Struct):
    """The progress of a background job: `done` of `total` steps.

    A job that is done has a `result`, a failed one the code of an `error`.
    """

    job_id: Annotated[str, Meta(examples=["job_0197c1a2b3c47d5e8f90a1b2c3d4e5f6"])]
    state: Literal["queued", "running", "done", "failed"]
    done: int
    total: int
    result: JsonObject | UnsetType = UNSET
    error: str | UnsetType = UNSET
