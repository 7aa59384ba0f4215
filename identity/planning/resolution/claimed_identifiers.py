"""The identifiers that one call claims, in the order of the document and without repeats.

What is claimed is either kept (normalised and unblocked) or skipped with its reason; a value that
could never be an identifier is neither. One bad entry never costs the call another one.
"""

from typing import Any, Final

from identity.planning.resolution.placeholder_values import NOBODYS_EMAILS, stands_for_nobody
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import Identifier, Skipped
from identity.values.identifiers import EMAIL, LONGEST_TYPE, PHONE, plain, shaped, usable_type

BLOCKED: Final = "blocked"
BAD_TYPE: Final = "bad_type"

_DEVICES = ("ios", "android")
_SHAPED = (EMAIL, PHONE)


class ClaimedIdentifiers:
    """Gathers the identifiers of one call under the rules of its space."""

    __slots__ = ("_kept", "_skipped", "rules")

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._kept: dict[tuple[str, str], Identifier] = {}
        self._skipped: dict[tuple[str, str], Skipped] = {}

    @property
    def kept(self) -> list[Identifier]:
        """The identifiers that count."""
        return list(self._kept.values())

    @property
    def skipped(self) -> list[Skipped]:
        """Those that do not, with the reasons."""
        return list(self._skipped.values())

    def __len__(self) -> int:
        """How many were claimed, whatever became of them."""
        return len(self._kept) + len(self._skipped)

    def take(self, type_: str, value: object) -> Identifier | None:
        """Keep this identifier if it is one; None if it is not, or is blocked."""
        if value is None:
            return None
        identifier = self.read(type_, value)
        if identifier is None:
            return None
        return self._kept.setdefault((type_, identifier.value), identifier)

    def read(self, type_: str, value: object) -> Identifier | None:
        """The identifier without keeping it; a blocked one is noted as skipped."""
        text = plain(value)
        if not text:
            return None
        nobody = stands_for_nobody(text)
        if not nobody:
            if type_ in _SHAPED:
                shape = shaped(type_, text, self.rules.region)
                if shape is None:
                    return None
                text = shape
                nobody = shape in NOBODYS_EMAILS
            nobody = nobody or self.rules.blocked(type_, text)
        identifier = Identifier(type_, text)
        if nobody:
            self._skipped.setdefault((type_, text), Skipped(identifier, BLOCKED))
            return None
        return identifier

    def drop(self, identifier: Identifier) -> None:
        """Keep an identifier no longer: it has another part in the call."""
        self._kept.pop((identifier.type, identifier.value), None)

    def external(self, entries: object) -> None:
        """`context.externalIds`: those of users, unencoded. A malformed entry is passed over."""
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
                self.take(type_, entry.get("id"))
            else:
                self._bad_type(type_, plain(entry.get("id")))

    def device(self, device: object) -> None:
        """`context.device`: its id, the advertising id if tracking is allowed, the push token."""
        if not isinstance(device, dict):
            return
        name = device.get("type")
        if not isinstance(name, str):
            return
        system = name.lower()
        if system not in _DEVICES:
            return
        self.take(f"{system}.id", device.get("id"))
        if device.get("adTrackingEnabled") is True:
            self.take(f"{system}.idfa", device.get("advertisingId"))
        self.take(f"{system}.push_token", device.get("token"))

    def google_analytics(self, integrations: object) -> None:
        """`context.integrations['Google Analytics'].clientId`."""
        google: Any = integrations.get("Google Analytics") if isinstance(integrations, dict) else None
        if isinstance(google, dict):
            self.take("ga_client_id", google.get("clientId"))

    def _bad_type(self, name: str, value: str | None) -> None:
        if not value:
            return
        # It is told and stored as text, which not every character of JSON is.
        shown = "".join(c if c.isprintable() else "?" for c in name[:LONGEST_TYPE])
        self._skipped.setdefault((shown, value), Skipped(Identifier(shown, value), BAD_TYPE))
