"""Collects the identifiers that one call claims, in document order and without repeats.

A claimed identifier is kept (normalised, not blocked) or skipped with a reason. A value that is no identifier
at all is ignored. One bad entry never costs the call another identifier, since clients send what they have.
"""

from typing import Any, Final

from identity.planning.resolution.placeholder_values import PLACEHOLDER_EMAILS, is_placeholder
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import Identifier, Skipped
from identity.values.identifiers import EMAIL, LONGEST_TYPE, PHONE, plain, shaped, usable_type

BLOCKED: Final = "blocked"
BAD_TYPE: Final = "bad_type"

_DEVICES = ("ios", "android")
_SHAPED = (EMAIL, PHONE)


class ClaimedIdentifiers:
    """The claimed identifiers of one call under the rules of its space."""

    __slots__ = ("_kept", "_skipped", "rules")

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._kept: dict[tuple[str, str], Identifier] = {}
        self._skipped: dict[tuple[str, str], Skipped] = {}

    @property
    def kept(self) -> list[Identifier]:
        """The identifiers that resolve the call."""
        return list(self._kept.values())

    @property
    def skipped(self) -> list[Skipped]:
        """The claimed identifiers that do not, with reasons."""
        return list(self._skipped.values())

    def __len__(self) -> int:
        """How many identifiers the call claims, kept and skipped."""
        return len(self._kept) + len(self._skipped)

    def claim(self, type_: str, value: object) -> Identifier | None:
        """Keep a usable identifier and return it; None for an unusable or blocked one."""
        if value is None:
            return None
        identifier = self.read(type_, value)
        if identifier is None:
            return None
        return self._kept.setdefault((type_, identifier.value), identifier)

    def read(self, type_: str, value: object) -> Identifier | None:
        """The identifier, not kept; a blocked one is recorded as skipped."""
        text = plain(value)
        if not text:
            return None
        blocked = is_placeholder(text)
        if not blocked:
            if type_ in _SHAPED:
                shape = shaped(type_, text, self.rules.region)
                if shape is None:
                    return None
                text = shape
                blocked = shape in PLACEHOLDER_EMAILS
            blocked = blocked or self.rules.blocked(type_, text)
        identifier = Identifier(type_, text)
        if blocked:
            self._skipped.setdefault((type_, text), Skipped(identifier, BLOCKED))
            return None
        return identifier

    def drop(self, identifier: Identifier) -> None:
        """Drop a kept identifier that has another role in the call."""
        self._kept.pop((identifier.type, identifier.value), None)

    def external(self, entries: object) -> None:
        """Read `context.externalIds`: unencoded ids of users. A malformed entry is ignored."""
        if not isinstance(entries, list):
            return
        for entry in entries:
            if not isinstance(entry, dict):
                continue
            name = entry.get("type")
            if (
                not isinstance(name, str)
                or (entry.get("collection") or "users") != "users"
                or (entry.get("encoding") or "none") != "none"
            ):
                continue
            type_ = name.lower()
            if usable_type(type_):
                self.claim(type_, entry.get("id"))
            else:
                self._bad_type(type_, plain(entry.get("id")))

    def device(self, device: object) -> None:
        """Read `context.device`: its id, its advertising id where tracking is allowed, and its push token."""
        if not isinstance(device, dict):
            return
        name = device.get("type")
        if not isinstance(name, str):
            return
        system = name.lower()
        if system not in _DEVICES:
            return
        self.claim(f"{system}.id", device.get("id"))
        if device.get("adTrackingEnabled") is True:
            self.claim(f"{system}.idfa", device.get("advertisingId"))
        self.claim(f"{system}.push_token", device.get("token"))

    def google_analytics(self, integrations: object) -> None:
        """Read `context.integrations['Google Analytics'].clientId`."""
        google: Any = integrations.get("Google Analytics") if isinstance(integrations, dict) else None
        if isinstance(google, dict):
            self.claim("ga_client_id", google.get("clientId"))

    def _bad_type(self, name: str, value: str | None) -> None:
        if not value:
            return
        # Answers and rows hold the type as text; some characters of JSON are not storable text.
        shown = "".join(c if c.isprintable() else "?" for c in name[:LONGEST_TYPE])
        self._skipped.setdefault((shown, value), Skipped(Identifier(shown, value), BAD_TYPE))
