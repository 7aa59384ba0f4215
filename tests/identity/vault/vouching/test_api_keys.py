"""The MAC of an API key covers every column that decides what the key may do."""

from hypothesis import given
from hypothesis import strategies as st

from identity.values.api_key_secrets import ApiKeyContent
from identity.vault.keyring import Keyring
from identity.vault.vouching.api_keys import api_key_mac, is_vouched

SPACE, OTHER = b"S" * 16, b"T" * 16
TEXT = st.text(max_size=6)
CONTENTS = st.builds(
    ApiKeyContent,
    number=st.integers(1, 2**31 - 1),
    public_id=TEXT,
    name=TEXT,
    scopes=st.lists(TEXT, max_size=3),
    secret_hash=st.binary(max_size=4),
)


def test_no_two_rows_share_a_mac(keyring: Keyring) -> None:
    """Whatever differs, and wherever text moves from one column to the next, the MAC differs."""
    keyring.create_space(SPACE)
    keys = keyring.space(SPACE)

    @given(CONTENTS, CONTENTS)
    def differ(one: ApiKeyContent, other: ApiKeyContent) -> None:
        assert is_vouched(keys, one, api_key_mac(keys, other)) == (one == other)

    differ()
    one = ApiKeyContent(number=1, public_id="ab", name="c", scopes=["d", "e"], secret_hash=b"f")
    for other in (
        one._replace(public_id="a", name="bc"),
        one._replace(name="cd", scopes=["e"]),
        one._replace(scopes=["de"]),
        one._replace(scopes=["d", "e", ""]),
        one._replace(secret_hash=b""),
    ):
        assert not is_vouched(keys, one, api_key_mac(keys, other))


def test_the_mac_of_another_space_or_none_vouches_for_nothing(keyring: Keyring) -> None:
    """The space is part of the key and of the message."""
    content = ApiKeyContent(number=1, public_id="key_a", name="n", scopes=["admin"], secret_hash=b"h" * 32)
    for space in (SPACE, OTHER):
        keyring.create_space(space)
    mac = api_key_mac(keyring.space(OTHER), content)
    assert is_vouched(keyring.space(OTHER), content, mac)
    for wrong in (None, b"", mac, mac[:-1]):
        assert not is_vouched(keyring.space(SPACE), content, wrong)
