"""Blind indexes of calls, under the newest version of the index key and older ones."""

from msgspec import structs

from identity.spaces.blind_indexes import index_call, no_older_keys, older_keys, older_keys_of
from identity.values.calls import Alias, Call, DemotedIdentifier, Identifier, IndexVersions, Source
from identity.values.ids import BlindIndex
from identity.values.stamps import Micros
from tests.support.keys.space_keys import space_keys


def a_call() -> Call:
    """An alias call that names one thing of every sort."""
    return Call(
        kind="alias",
        message_id="m1",
        time=Micros(1),
        received=Micros(1),
        source=Source(1),
        body={},
        identifiers=[Identifier("user_id", "u1")],
        demoted=[
            DemotedIdentifier(Identifier("email", "blocked@example.org"), "blocked"),
            DemotedIdentifier(Identifier("x", "y"), "bad_type"),
        ],
        alias=Alias(user=Identifier("user_id", "old"), anonymous=Identifier("anonymous_id", "old"), assumed="user_id"),
        unlinked=[Identifier("user_id", "elsewhere")],
        group="acme",
    )


def test_everything_that_a_call_names_gets_its_blind_index() -> None:
    """Only those that may be linked are collected; of demoted ones only blocked identifiers are looked up."""
    keys, call, found = space_keys(), a_call(), set[BlindIndex]()
    index_call(keys, call, found)
    assert call.alias is not None
    assert call.alias.user is not None
    assert call.alias.anonymous is not None
    linkable = [call.identifiers[0], call.alias.user, call.alias.anonymous]
    assert found == {each.key for each in linkable}
    for each in (*linkable, call.demoted[0].identifier, call.unlinked[0]):
        assert each.key == keys.identifier(each.type, each.value)
    assert call.demoted[1].identifier.key == b""
    assert call.group_key == keys.group("acme")


def test_the_message_ids_of_public_keys_are_names_of_their_own() -> None:
    """So a public call makes no call of a server a duplicate."""
    keys, public = space_keys(), a_call()
    server = structs.replace(public, source=Source(2, server=True))
    for call in (public, server):
        index_call(keys, call, set())
    assert server.message_key == keys.message("m1")
    assert public.message_key not in (server.message_key, b"")


def test_without_older_versions_there_are_no_older_keys() -> None:
    """The usual case costs nothing."""
    assert older_keys_of(space_keys(), [a_call()]) is None
    assert older_keys(space_keys(), [Identifier("user_id", "u1")], 1) == {}


def test_older_keys_lead_to_the_newest() -> None:
    """Rows of profiles and groups may bear versions from `live` on, messages from theirs, hashes every one."""
    keys, call = space_keys(), a_call()
    keys.set_versions(IndexVersions(newest=3, live=2, messages=3, oldest=1))
    index_call(keys, call, set())
    older = older_keys_of(keys, [call])
    assert older is not None
    first, second = keys.index(1), keys.index(2)
    user = call.identifiers[0]
    assert (
        older.hashes[first.identifier("user_id", "u1")] == older.hashes[second.identifier("user_id", "u1")] == user.key
    )
    assert second.identifier("user_id", "u1") in older.identifiers
    assert first.identifier("user_id", "u1") not in older.identifiers
    assert older.groups == {second.group("acme"): call.group_key}
    assert older.message_keys == {}
    assert older_keys(keys, [user], 1) == {index.identifier("user_id", "u1"): user.key for index in (first, second)}


def test_the_older_keys_of_two_requests_add_up() -> None:
    """A batch looks up the older keys of all its requests at once."""
    both = no_older_keys()
    both.update(no_older_keys()._replace(identifiers={BlindIndex(b"a"): BlindIndex(b"1")}))
    both.update(no_older_keys()._replace(identifiers={BlindIndex(b"b"): BlindIndex(b"2")}, message_keys={b"m": b"3"}))
    assert (both.identifiers, both.message_keys) == ({b"a": b"1", b"b": b"2"}, {b"m": b"3"})
