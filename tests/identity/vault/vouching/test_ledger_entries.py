"""The MAC of an entry of the ledger covers every byte of the entry, and belongs to one space."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from identity.values.stamps import Micros
from identity.vault.keyring import Keyring
from identity.vault.vouching.ledger_entries import is_vouched_entry, vouch_for_entry

SPACE, OTHER = b"S" * 16, b"T" * 16
TEXTS = st.text(max_size=8) | st.sampled_from(['","mac":"', '","mac":"00"}', '"}'])
ENTRIES = st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3).map(msgspec.json.encode)


def test_an_entry_is_vouched_for_only_as_it_is(keyring: Keyring) -> None:
    """Any other bytes fail, those without a MAC included; the fields of the entry stay as they were."""
    for space in (SPACE, OTHER):
        keyring.create_space(space)
    keys, other = keyring.space(SPACE), keyring.space(OTHER)

    @given(ENTRIES, st.integers(0, 400), st.integers(1, 255))
    def alter(plain: bytes, at: int, change: int) -> None:
        moment, raw = vouch_for_entry(keys, (Micros(7), plain))
        assert moment == 7
        fields = msgspec.json.decode(raw)
        fields.pop("mac")
        assert fields.items() <= msgspec.json.decode(plain).items() or "mac" in msgspec.json.decode(plain)
        assert is_vouched_entry(keys, raw)
        assert not is_vouched_entry(other, raw)
        assert not is_vouched_entry(keys, plain)
        at %= len(raw)
        assert not is_vouched_entry(keys, raw[:at] + bytes((raw[at] ^ change,)) + raw[at + 1 :])

    alter()


def test_no_entry_and_no_mac_vouch_for_nothing(keyring: Keyring) -> None:
    """Neither an empty entry nor a MAC alone is one."""
    keyring.create_space(SPACE)
    keys = keyring.space(SPACE)
    for raw in (b"", b"{}", b',"mac":"', b'{"a":1,"mac":""}', b'{"a":1,"mac":"' + b"0" * 64 + b'"}'):
        assert not is_vouched_entry(keys, raw)
