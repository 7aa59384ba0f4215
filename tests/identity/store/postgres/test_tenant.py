"""Buckets: one on one machine, and a spread that follows the end of an id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.store.postgres.tenant import BUCKETS, Tenant
from identity.values.ids import SpaceNumber


@given(st.lists(st.binary(min_size=16, max_size=32), max_size=5), st.integers(0, BUCKETS - 1))
def test_one_machine_has_one_bucket(ids: list[bytes], base: int) -> None:
    """All rows of a space lie together."""
    tenant = Tenant(SpaceNumber(1), base)

    assert {tenant.bucket(each) for each in ids} <= {base}
    assert tenant.buckets(ids).data.endswith(base.to_bytes(4, "big") if ids else b"")


@given(st.binary(min_size=16, max_size=32), st.integers(0, BUCKETS - 1), st.integers(2, 64))
def test_a_spread_stays_within_its_buckets(routing: bytes, base: int, spread: int) -> None:
    """Around the end of all buckets too."""
    bucket = Tenant(SpaceNumber(1), base, spread).bucket(routing)

    assert 0 <= bucket < BUCKETS
    assert (bucket - base) % BUCKETS < spread


@pytest.mark.parametrize("count", [1, 3])
def test_ids_with_another_end_have_another_bucket(count: int) -> None:
    """The ends of ids and of blind indexes are random, so rows spread evenly."""
    tenant = Tenant(SpaceNumber(1), 7, 4)

    assert {tenant.bucket(bytes(12) + number.to_bytes(4, "big")) for number in range(4 * count)} == {7, 8, 9, 10}
