"""The Merkle root of a receipt: the published vectors, and another root for every other list."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.privacy.merkle import merkle_root


def test_merkle_root_equals_the_vectors_of_rfc_6962() -> None:
    """The vectors of RFC 6962's reference implementation."""
    leaves = [bytes.fromhex(each) for each in ("", "00", "10", "2021", "3031", "40414243")]
    roots = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    }
    assert {count: merkle_root(leaves[:count]).hex() for count in roots} == roots


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.data())
def test_another_value_in_any_place_gives_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    """So a receipt names exactly the keys that were destroyed."""
    at = data.draw(st.integers(0, len(leaves) - 1))
    other = [*leaves[:at], leaves[at] + b"x", *leaves[at + 1 :]]
    assert merkle_root(leaves) != merkle_root(other)
