"""The shapes of explaining and undoing: what is asked for and what is answered."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from app.schemas.native import ProfileId, Time

MOST_PARTED = 10_000


class Unmerge(Struct):
    """Identifiers, written `type:value`, that leave their profile; `block` keeps the two sides apart."""

    identifiers: Annotated[list[str], Meta(min_length=1, max_length=MOST_PARTED)]
    block: bool = True


class Parted(Struct):
    """The profile that the identifiers are now, and the one they left."""

    profile_id: ProfileId
    remaining_profile_id: ProfileId


class Removed(Struct):
    """The profile an identifier was taken off, null where it was nobody's; whether it is blocked."""

    profile_id: ProfileId | None
    blocked: bool


class Taught(Struct, rename={"type_": "type"}):
    """A call that showed two identifiers to belong together."""

    message_id: str
    type_: str
    at: Time
    timestamp: Time
    source: str | None
    rules_version: int


class PathLink(Struct, rename={"from_": "from"}):
    """A link of a path, with the first calls that made it and how many there are."""

    from_: str
    to: str
    weight: float
    days: int
    seen: int
    sources: list[str | None]
    call_count: int
    calls: list[Taught]


class Explanation(Struct, rename={"from_": "from"}):
    """Why two identifiers are one profile: the path with the fewest links, and that with the surest."""

    profile_id: ProfileId
    from_: str
    to: str
    shortest: list[PathLink]
    strongest: list[PathLink]


class GraphNode(Struct, rename={"type_": "type"}):
    """An identifier; `cut`: strong ids fall apart without it; `side` 1: the suggested split takes it away."""

    identifier: str
    type_: str
    retired: bool
    first_seen: Time
    last_seen: Time
    strong: bool
    cut: bool
    side: int | None


class GraphLink(Struct, rename={"from_": "from"}):
    """Two identifiers that were seen together."""

    from_: str
    to: str
    weight: float
    days: int
    seen: int
    sources: list[str | None]
    bridge: bool
    cut: bool


class GraphReview(Struct):
    """What looks like two people taken for one, the worst first; `suggested_split.identifiers` can be unmerged."""

    strong_ids: int
    communities: int
    cut_node_count: int
    cut_nodes: list[dict[str, Any]]
    bridges: list[dict[str, Any]]
    over_connected: list[dict[str, Any]]
    suggested_split: dict[str, Any] | None
    bounded: bool


class EvidenceGraph(Struct):
    """The evidence graph of a profile. Of a very large one only the foremost nodes are listed."""

    profile_id: ProfileId
    node_count: int
    link_count: int
    nodes: list[GraphNode]
    links: list[GraphLink]
    review: GraphReview
    analysis: dict[str, Any]


class Job(Struct):
    """Long work: `state` is queued, running, done or failed; `result` is there when done, `error` when failed."""

    job_id: Annotated[str, Meta(examples=["job_0197c1a2b3c47d5e8f90a1b2c3d4e5f6"])]
    state: Literal["queued", "running", "done", "failed"]
    done: int
    total: int
    result: dict[str, Any] | UnsetType = UNSET
    error: str | UnsetType = UNSET


class RulesTrial(Struct):
    """What other rules would change over what is kept. Identifiers are demoted call by call."""

    job_id: str
    profiles_before: int
    profiles_after: int
    profiles_split: int
    profiles_joined: int
    identifiers_lost: int
    identifiers_gained: int
    identifiers_demoted: int
    demotions_lifted: int
    calls_unresolved: int
    reasons: dict[str, int]
    examples: list[dict[str, Any]]
