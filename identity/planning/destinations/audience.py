"""Says which check keeps a whole profile from a destination: its list, or a purpose that is not granted.

A pure companion of `policy.visible`: it names a reason for exactly those profiles of which nothing is visible.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from identity.planning.consent.permission import Permission
from identity.planning.destinations.policy import Entitled, permission_of
from identity.planning.resolution.fold_documents import surviving
from identity.values.documents import Document
from identity.values.ids import ProfileId

NOTHING_LISTED: Final = "nothing_listed"
NO_PURPOSES: Final = "no_purposes"
PURPOSE: Final = "purpose_not_granted"
NO_SUCH_PURPOSE: Final = "unknown_purpose"
ON_HOLD: Final = "on_hold"

SENTENCES: Final = {
    NOTHING_LISTED: "have no trait and no identifier on the list of the destination",
    NO_PURPOSES: "are kept out because the destination names no purpose",
    PURPOSE: "did not grant {purpose}",
    NO_SUCH_PURPOSE: "are kept out because the space has no purpose {purpose} any more",
    ON_HOLD: "are on hold",
}
"""How a report names each reason."""


class KeptOut(Struct, frozen=True):
    """A reason why nothing of a profile is visible; `purpose` is set if it is one that is not granted or unknown."""

    reason: str
    purpose: str | None = None


def reasons_unseen(
    entitled: Entitled,
    permission: Permission,
    documents: Mapping[ProfileId, Document],
    identifiers: Sequence[tuple[ProfileId, str]],
) -> set[KeptOut]:
    """Why a destination sees nothing of a profile; nothing if it sees something. `identifiers` are (origin, type)."""
    origins = {
        origin
        for name, (origin, entry) in surviving(documents).items()
        if entry[0] is not None and entitled.trait(name)
    }
    origins |= {origin for origin, type_ in identifiers if entitled.identifier(type_)}
    if not origins:
        return {KeptOut(NOTHING_LISTED)}
    if any(permission_of(entitled, permission, origin).granted for origin in origins):
        return set()
    if not entitled.purposes:
        return {KeptOut(NO_PURPOSES)}
    verdicts = [(purpose, permission.one(purpose, origin)) for purpose in entitled.purposes for origin in origins]
    # A person neither grants nor denies a purpose that was removed from the space.
    return {
        KeptOut(NO_SUCH_PURPOSE if verdict.reason == NO_SUCH_PURPOSE else PURPOSE, purpose)
        for purpose, verdict in verdicts
        if not verdict.granted
    }


class AudienceCount(Struct, frozen=True):
    """A reason, and how many of the profiles that were looked at it keeps out. A profile may have several."""

    reason: str
    profiles: int
    purpose: str | None = None


class Audience(Struct, frozen=True):
    """The profiles of a space, and how many of those that were looked at a destination may see."""

    profiles: int
    looked_at: int
    visible: int
    kept_out: list[AudienceCount]

    def sentence(self, name: str) -> str:
        """The counts in one sentence, for a person."""
        there = f"The space has {self.profiles} profiles; "
        if self.looked_at < self.profiles:
            there += f"of the first {self.looked_at}, "
        seen = f"{there}{name} may see {self.visible}"
        why = [f"{each.profiles} {SENTENCES[each.reason].format(purpose=each.purpose)}" for each in self.kept_out]
        return f"{seen}: {', '.join(why)}." if why else f"{seen}."
