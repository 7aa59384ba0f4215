"""The blind indexes of everything that a call names, under the newest version of the index key and older ones."""

from collections.abc import Iterable
from typing import NamedTuple

from identity.values.calls import Call, Identifier
from identity.values.enums import TrustClass
from identity.values.ids import BlindIndex
from identity.vault.space_keys import SpaceKeys

# No message id holds these characters.
_PREFIXES = {TrustClass.SERVER: "", TrustClass.PUBLIC: "\0", TrustClass.PROVEN: "\1"}


class OlderKeys(NamedTuple):
    """Maps from an older key to the newest one, for all that some calls name.

    `identifiers` and `groups` hold the keys that rows may still have while a rotation is under way, `message_keys`
    those of message ids, and `hashes` those of identifiers of which the database may hold no more than a hash.
    """

    identifiers: dict[BlindIndex, BlindIndex]
    groups: dict[bytes, bytes]
    hashes: dict[BlindIndex, BlindIndex]
    message_keys: dict[bytes, bytes]

    def update(self, other: "OlderKeys") -> None:
        """Adds the keys of other calls."""
        self.identifiers.update(other.identifiers)
        self.groups.update(other.groups)
        self.hashes.update(other.hashes)
        self.message_keys.update(other.message_keys)


def no_older_keys() -> OlderKeys:
    """Empty maps, to be filled."""
    return OlderKeys(identifiers={}, groups={}, hashes={}, message_keys={})


def named_message(call: Call) -> str:
    """The message id with the class of its call: no id of a lower class makes a call of a higher one a duplicate."""
    return f"{_PREFIXES[call.trust]}{call.message_id}"


def index_call(keys: SpaceKeys, call: Call, found: set[BlindIndex]) -> None:
    """Sets the blind indexes of everything a call names, and adds those of its identifiers to `found`."""
    blind = keys.identifier
    for identifier in call.identifiers:
        identifier.key = blind(identifier.type, identifier.value)
        found.add(identifier.key)
    for demoted in call.demoted:
        if demoted.reason == "blocked":
            demoted.identifier.key = blind(demoted.identifier.type, demoted.identifier.value)
    alias = call.alias
    if alias is not None:
        for previous in (alias.user, alias.anonymous):
            if previous is not None:
                previous.key = blind(previous.type, previous.value)
                found.add(previous.key)
    for named in call.unlinked:
        named.key = blind(named.type, named.value)
    call.message_key = keys.message(named_message(call))
    if call.group is not None:
        call.group_key = keys.group(call.group)


def older_keys_of(keys: SpaceKeys, calls: Iterable[Call]) -> OlderKeys | None:
    """The keys that these calls' names have under older versions of the index key; None without such versions.

    The calls are indexed under the newest version.
    """
    versions = keys.versions
    if versions.oldest == versions.newest:
        return None
    found = no_older_keys()
    for version in range(versions.oldest, versions.newest):
        index = keys.index(version)
        for call in calls:
            alias = call.alias
            named = [*call.identifiers, *call.unlinked]
            if alias is not None:
                named += [i for i in (alias.user, alias.anonymous) if i is not None]
            hashes: dict[BlindIndex, BlindIndex] = {index.identifier(each.type, each.value): each.key for each in named}
            found.hashes.update(hashes)
            if version >= versions.live:
                found.identifiers.update(hashes)
                if call.group is not None:
                    found.groups[index.group(call.group)] = call.group_key
            if version >= versions.messages:
                found.message_keys[index.message(named_message(call))] = call.message_key
    return found


def older_keys(keys: SpaceKeys, identifiers: Iterable[Identifier], since: int) -> dict[BlindIndex, BlindIndex]:
    """The keys of identifiers under each older version from `since` on, mapped to the newest key."""
    older = keys.older(since)
    return {
        index.identifier(each.type, each.value): keys.identifier(each.type, each.value)
        for each in (identifiers if older else ())
        for index in older
    }
