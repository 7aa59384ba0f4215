"""The secrets of API keys: recognised by their form, and any mistyped character is seen."""

from hypothesis import given
from hypothesis import strategies as st

from identity.values.api_key_secrets import hash_of, id_of, new_secret

ID, SECRET = new_secret()


def test_a_secret_names_its_key() -> None:
    """Two keys never share a secret."""
    assert id_of(SECRET) == ID
    assert new_secret() != new_secret()


@given(st.integers(0, len(SECRET) - 1), st.characters(codec="utf-8"))
def test_a_mistyped_secret_is_refused_without_the_database(at: int, typed: str) -> None:
    """A different character in any place, or a character less."""
    wrong = SECRET[:at] + typed + SECRET[at + 1 :]

    assert (id_of(wrong) is not None) == (wrong == SECRET)
    assert id_of(SECRET[:at] + SECRET[at + 1 :]) is None


def test_the_stored_hash_holds_nothing_of_the_secret() -> None:
    """Another secret has another hash."""
    assert len(hash_of(SECRET)) == 32
    assert hash_of(SECRET) == hash_of(SECRET) != hash_of(new_secret()[1])
    assert SECRET.encode() not in hash_of(SECRET)
