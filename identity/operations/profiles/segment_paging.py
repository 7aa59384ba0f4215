"""The parameters of lists of the Profile API, and their pages."""

from typing import Generic, NamedTuple, TypeVar

from identity.values.calls import KINDS, Kind
from identity.values.ids import ProfileId
from identity.values.stamps import Micros

T = TypeVar("T")


class ListParameters(NamedTuple):
    """The validated parameters of a list; times in microseconds, `start` inclusive and `end` exclusive.

    `include` and `exclude` are names of traits, types or events, depending on the list; `kinds` are the kinds of
    calls in a list of events.
    """

    limit: int
    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    verbose: bool = False
    computed: bool = False
    start: Micros | None = None
    end: Micros | None = None
    ascending: bool = False
    next: str | None = None
    kinds: tuple[Kind, ...] = KINDS


class Page(NamedTuple, Generic[T]):
    """A page of a list: its profile (None for a group), its items, and the cursor after it, None at the end."""

    profile_id: ProfileId | None
    items: T
    next: str | None
