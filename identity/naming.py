"""What a stored call named, found again by reading its body as it was read when it arrived."""

from identity.model import STORED_KINDS
from identity.planning.extract import extract
from identity.planning.records import Kept, source
from identity.planning.rules import Rules
from identity.spaces import Space


def named(space: Space, kept: Kept, rules: Rules) -> dict[bytes, tuple[str, str]]:
    """Everything a stored call named, by key: a demoted identifier belongs to nobody here."""
    call = extract(
        kept.body, kind=STORED_KINDS[kept.kind], rules=rules, received=kept.received, sent_at=None, source=source(kept)
    )
    space.index(call, set())
    alias = call.alias
    previous = [] if alias is None else [i for i in (alias.user, alias.anonymous) if i is not None]
    return {i.key: (i.type, i.value) for i in (*call.identifiers, *(s.identifier for s in call.skipped), *previous)}
