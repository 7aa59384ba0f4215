"""The shape of an error on the native surface."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from identity.values.unknown_names import EntryFault


class EntryProblem(Struct):
    """What is wrong with one entry of a list, by its position from 0."""

    index: int
    code: str
    detail: str


class Problem(Struct, omit_defaults=True):
    """An error (RFC 9457). `code` is stable, `detail` is for people.

    `errors` names each faulty entry where the request has a list of identifiers.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[EntryProblem] | msgspec.UnsetType = msgspec.UNSET


def entry_problems(faults: Sequence[EntryFault]) -> list[EntryProblem]:
    """The faulty entries of a list."""
    return [EntryProblem(each.index, each.code, each.detail) for each in faults]
