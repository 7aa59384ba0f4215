"""Small evidence graphs: observations written as words, and any graph of up to seven identifiers."""

from hypothesis import strategies as st

from identity.planning.graph.evidence_graph import (
    Graph,
    Observation,
    build_graph,
    links,
)
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

TYPES = {"u": "user_id", "e": "email", "p": "phone", "c": "crm", "d": "ios.id", "a": "anonymous_id"}


def seen(keys: str, stamp: int = 1, days: int = 1, sources: tuple[int, ...] = (1,), count: int = 0) -> Observation:
    """An observation of the keys written with a space between them; its calls are of a day that begins at `stamp`."""
    return Observation(
        origin=ProfileId(b"origin"),
        stamp=Stamp(stamp),
        keys=tuple(BlindIndex(key.encode()) for key in keys.split()),
        days=days,
        sources=sources,
        count=count,
        first_seen=Micros(stamp),
        last_seen=Micros(stamp + 10),
    )


def types(*observations: Observation) -> dict[BlindIndex, str]:
    """The type of each key, by its first letter."""
    return {key: TYPES[chr(key[0])] for each in observations for key in each.keys}


def graph(*observations: Observation) -> Graph:
    """The graph of these observations, with a node for each of their keys."""
    return build_graph(observations, types(*observations))


def pairs(g: Graph) -> set[str]:
    """The links of a graph as words."""
    return {f"{each.a.decode()}-{each.b.decode()}" for each in links(g)}


@st.composite
def small_graphs(draw: st.DrawFn) -> Graph:
    """Up to seven identifiers of any type with any links, some without a link."""
    keys = [f"{draw(st.sampled_from(sorted(TYPES)))}{n}" for n in range(draw(st.integers(2, 7)))]
    groups = draw(st.lists(st.tuples(st.lists(st.sampled_from(keys), max_size=3), st.integers(1, 40)), max_size=12))
    made = [seen(" ".join(group), n, days) for n, (group, days) in enumerate(groups)]
    return build_graph(made, types(seen(" ".join(keys))))
