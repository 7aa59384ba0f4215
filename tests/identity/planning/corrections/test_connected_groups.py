"""The identifiers that a stored call still connects after later unmerges and removals."""

from identity.planning.corrections.connected_groups import Unmerged, connected_groups
from identity.values.ids import BlindIndex
from identity.values.stamps import Stamp


def test_a_call_connects_identifiers_within_a_side_only() -> None:
    """An unmerge contradicts earlier calls between its sides; a call before a link does not connect the link."""
    a, b, c = BlindIndex(b"a" * 32), BlindIndex(b"b" * 32), BlindIndex(b"c" * 32)
    linked = dict.fromkeys((a, b, c), Stamp(1))
    act = Unmerged(Stamp(10), {b, c})
    assert connected_groups([a, b, c], Stamp(5), linked, [act]) == [(a,), (b, c)]
    assert connected_groups([a, b, c], Stamp(15), linked, [act]) == [(a, b, c)]
    assert connected_groups([a, b, c], Stamp(5), {**linked, a: Stamp(7)}, []) == [(b, c)]
    assert connected_groups([a, b], Stamp(5), {a: Stamp(1)}, []) == [(a,)]
