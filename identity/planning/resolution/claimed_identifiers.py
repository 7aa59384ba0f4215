"""Collects the identifiers that one call claims, in document order and without repeats.

A claimed identifier is kept (normalised, not blocked) or demoted with a reason; only an absent value (null) claims
nothing. One bad entry never costs the call another identifier, since clients send what they have.

`extract` calls `claim` for each place of a call. A new place needs the same in `redact_suppressed.scrub`, or a stored
call keeps a suppressed identifier there.
"""

from collections.abc import Sequence
from typing import Any, Final

from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import DemotedIdentifier, Identifier
from identity.values.enums import UNUSABLE, UnlinkedReason
from identity.values.fields.names import bare
from identity.values.identifiers import EMAIL, GA_CLIENT_ID, LONGEST_TYPE, PHONE, USER_ID, normalise, usable_type
from identity.values.identity_tokens.claims import TokenClaims, TokenFault
from identity.values.near_types import GROUP_ID
from identity.values.placeholders.placeholder_groups import is_placeholder_group
from identity.values.placeholders.placeholder_values import is_blocked_everywhere, is_placeholder
from identity.values.plain_text import UnusableValue, kind_of, plain, shown, usable

_EXTERNAL = "external_id"
_DEVICE = "device"
_MEMBERS: Final = frozenset({"id", "type", "collection", "encoding"})
"""The members of an entry of `context.externalIds`."""
_DEVICES: Final = {"ios": "ios", "android": "android"} | dict.fromkeys(
    ("tvos", "watchos", "macos", "ipados", "visionos"), "ios"
)
"""The first part of a device type, by `context.device.type`: the systems of Apple make ids of one kind."""
DEVICE_IDS: Final = (("id", "id"), ("idfa", "advertisingId"), ("push_token", "token"))
"""The last part of a device type, and the field of `context.device` that holds the identifier."""
GOOGLE_ANALYTICS: Final = ("Google Analytics", "clientId")
"""The member of `context.integrations`, and the field in it, that hold a `ga_client_id`."""


Memo = dict[tuple[str, str], Identifier | DemotedIdentifier]
"""What was read of raw values, by type and value, under one version of the rules."""
_DEAR: Final = frozenset({EMAIL, PHONE})


def read(type_: str, raw: object, rules: Rules) -> Identifier | DemotedIdentifier:
    """The identifier in a raw value under the rules of a space, or what is demoted and why.

    The type is a usable one. A demoted identifier shows its normalised value where there is one, else a short
    printable form of the raw value.
    """
    try:
        value = normalise(type_, raw, rules.region)
    except UnusableValue as unusable:
        # A placeholder is no e-mail address and no phone number either, but its reason is that it is one.
        blocked = usable(raw) and is_placeholder(plain(raw))
        reason = UnlinkedReason.BLOCKED if blocked else unusable.reason
        return DemotedIdentifier(Identifier(type_, plain(raw) if blocked else unusable.shown), reason)
    identifier = Identifier(type_, value)
    if is_blocked_everywhere(type_, value) or rules.blocked(type_, value):
        return DemotedIdentifier(identifier, UnlinkedReason.BLOCKED)
    return identifier


def is_blocked_group(group: str, rules: Rules) -> bool:
    """Whether a group id is a placeholder or matches a pattern of the space for `group_id` or for every type."""
    return is_placeholder_group(group) or rules.blocked(GROUP_ID, group)


def named(found: Identifier | DemotedIdentifier) -> Identifier | None:
    """The identifier that a raw value names, blocked or not; None where the value is no identifier."""
    if isinstance(found, Identifier):
        return found
    return found.identifier if found.reason == UnlinkedReason.BLOCKED else None


def lasting(identifiers: Sequence[Identifier], rules: Rules) -> Identifier:
    """The first identifier of a profile that these rules still read; the first one where they read none.

    A call that names a profile by such an identifier names it after a rebuild too.
    """
    read_now = (each for each in identifiers if isinstance(read(each.type, each.value, rules), Identifier))
    return next(read_now, identifiers[0])


class ClaimedIdentifiers:
    """The claimed identifiers of one call under the rules of its space."""

    __slots__ = ("_demoted", "_kept", "_memo", "rules")

    def __init__(self, rules: Rules, memo: Memo | None = None) -> None:
        """`memo` keeps what was read of the dear values of a batch: calls may share a context of many."""
        self.rules = rules
        self._memo = {} if memo is None else memo
        self._kept: dict[tuple[str, str], Identifier] = {}
        self._demoted: dict[tuple[str, str, str], DemotedIdentifier] = {}

    @property
    def kept(self) -> list[Identifier]:
        """The identifiers that resolve the call."""
        return list(self._kept.values())

    @property
    def demoted(self) -> list[DemotedIdentifier]:
        """The claimed identifiers that do not, with reasons."""
        return list(self._demoted.values())

    def __len__(self) -> int:
        """How many identifiers the call claims, kept and demoted; a value that is no identifier does not count."""
        return len(self._kept) + sum(demoted.reason not in UNUSABLE for demoted in self._demoted.values())

    def claim(self, type_: str, value: object) -> Identifier | None:
        """Keep a usable identifier and return it; None for an unusable or blocked one."""
        if value is None:
            return None
        found = self._read(type_, value)
        if isinstance(found, Identifier):
            return self._kept.setdefault((type_, found.value), found)
        self.demote(found)
        return None

    def prove(self, token: TokenClaims, user: Identifier | None) -> dict[str, str] | TokenFault:
        """Keep what an identity token names, and return the usable part by type.

        `user` is the user id of the call. A token of another user proves nothing of the call, and adds nothing.
        """
        named = self._read(USER_ID, token.user_id)
        if not isinstance(named, Identifier):
            return TokenFault.NO_SUBJECT
        if user is not None and user.value != named.value:
            return TokenFault.OTHER_USER
        kept = (self.claim(type_, value) for type_, value in token.named())
        return {each.type: each.value for each in kept if each is not None}

    def _read(self, type_: str, value: object) -> Identifier | DemotedIdentifier:
        if not isinstance(value, str) or (type_ not in _DEAR and value.isascii()):
            return read(type_, value, self.rules)
        found = self._memo.get((type_, value))
        if found is None:
            found = self._memo[type_, value] = read(type_, value, self.rules)
        # Each call has identifiers of its own, which get their keys later.
        if isinstance(found, Identifier):
            return Identifier(found.type, found.value)
        return DemotedIdentifier(Identifier(found.identifier.type, found.identifier.value), found.reason)

    def demote(self, demoted: DemotedIdentifier) -> None:
        """List a demoted identifier with its reason."""
        self._demoted.setdefault((demoted.identifier.type, demoted.identifier.value, demoted.reason), demoted)

    def group(self, group: str) -> str | None:
        """The id of the group that a call joins; None for a blocked one, which is listed as demoted."""
        if not is_blocked_group(group, self.rules):
            return group
        self.demote(DemotedIdentifier(Identifier(GROUP_ID, group), UnlinkedReason.BLOCKED))
        return None

    def drop(self, identifier: Identifier) -> None:
        """Drop a kept identifier that has another role in the call."""
        self._kept.pop((identifier.type, identifier.value), None)

    def external(self, entries: object) -> None:
        """Read `context.externalIds`: unencoded ids of users. A malformed entry is demoted with its reason."""
        if entries is None or entries == {}:
            return
        if not isinstance(entries, list):
            self._malformed(UnlinkedReason.MALFORMED_EXTERNAL_ID, kind_of(entries))
            return
        for entry in entries:
            if not isinstance(entry, dict):
                self._malformed(UnlinkedReason.MALFORMED_EXTERNAL_ID, kind_of(entry))
            else:
                self._entry(entry)

    def stored(self, entries: Any) -> None:
        """Keep the identifiers of a profile, by which Onefold names the profile in a call of its own.

        They are kept as they are stored: the rules may block one by now, or read another one in the same value.
        """
        for entry in entries or ():
            identifier = Identifier(entry["type"], entry["id"])
            self._kept.setdefault((identifier.type, identifier.value), identifier)

    def _entry(self, entry: dict[str, Any]) -> None:
        name, raw = entry.get("type"), entry.get("id")
        if not isinstance(name, str):
            self._malformed(UnlinkedReason.MALFORMED_EXTERNAL_ID, f"type {kind_of(name)}")
            return
        type_ = name.lower()
        if not usable_type(type_):
            # Answers and rows hold the type as text; some characters of JSON are not storable text.
            self.demote(
                DemotedIdentifier(Identifier(shown(type_[:LONGEST_TYPE]), _shown(raw)), UnlinkedReason.BAD_TYPE)
            )
        elif (entry.get("collection") or "users") != "users":
            self.demote(DemotedIdentifier(Identifier(type_, _shown(raw)), UnlinkedReason.OTHER_COLLECTION))
        elif (entry.get("encoding") or "none") != "none":
            self.demote(DemotedIdentifier(Identifier(type_, _shown(raw)), UnlinkedReason.ENCODED))
        elif raw is None or any(bare(member).removesuffix("s") in _MEMBERS for member in entry.keys() - _MEMBERS):
            # Under another spelling of `collection`, the id may be that of an account, which many people share.
            self.demote(DemotedIdentifier(Identifier(type_, _shown(raw)), UnlinkedReason.MALFORMED_EXTERNAL_ID))
        else:
            self.claim(type_, raw)

    def _malformed(self, reason: UnlinkedReason, what: str) -> None:
        self.demote(DemotedIdentifier(Identifier(_EXTERNAL, what), reason))

    def device(self, device: object) -> None:
        """Read `context.device`: its id, its advertising id where tracking is allowed, and its push token.

        The ids of a device of another type, or of none, are demoted.
        """
        if device is None or device == []:
            return
        if not isinstance(device, dict):
            self.demote(DemotedIdentifier(Identifier(_DEVICE, kind_of(device)), UnlinkedReason.UNKNOWN_DEVICE))
            return
        name = device.get("type")
        system = device_system(name)
        tracked = device.get("adTrackingEnabled") is True
        for part, field in DEVICE_IDS:
            raw = device.get(field)
            if raw is None or (field == "advertisingId" and not tracked):
                continue
            if system is not None:
                self.claim(f"{system}.{part}", raw)
            else:
                self.demote(DemotedIdentifier(Identifier(_DEVICE, _shown(raw)), UnlinkedReason.UNKNOWN_DEVICE))

    def google_analytics(self, integrations: object) -> None:
        """Read `context.integrations['Google Analytics'].clientId`."""
        member, field = GOOGLE_ANALYTICS
        google: Any = integrations.get(member) if isinstance(integrations, dict) else None
        if isinstance(google, dict):
            self.claim(GA_CLIENT_ID, google.get(field))


def device_system(name: object) -> str | None:
    """The first part of the types of a device's identifiers; None for a device of no known type."""
    return _DEVICES.get(name.lower()) if isinstance(name, str) else None


def _shown(raw: object) -> str:
    """The value of an entry whose other fields are wrong, for the sender alone."""
    try:
        return shown(plain(raw))
    except UnusableValue as unusable:
        return unusable.shown
