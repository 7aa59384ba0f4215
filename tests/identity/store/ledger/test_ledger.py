"""The bytes of an entry follow from its values alone, since the chain and the MAC cover them."""

from identity.store.ledger.ledger import documented, entry
from identity.values.stamps import Micros


def test_an_entry_has_sorted_names() -> None:
    """Also those that an action adds, whatever their order was."""
    expected = b'{"action":"erase","actor":"key_1","at":5,"keys":["a"],"stamp":7,"subject":"ers_1"}'
    for more in ({"stamp": 7, "keys": ["a"]}, {"keys": ["a"], "stamp": 7}):
        assert entry("key_1", "erase", "ers_1", Micros(5), more) == (5, expected)


def test_an_entry_without_a_subject_says_so() -> None:
    """The name is there all the same."""
    assert entry("operator", "keys.roll", None, Micros(5))[1] == (
        b'{"action":"keys.roll","actor":"operator","at":5,"subject":null}'
    )


def test_a_document_is_recorded_sealed() -> None:
    """Beside its version or stamp."""
    assert documented(b"\x00\xff", version=3) == {"document": "AP8=", "version": 3}
