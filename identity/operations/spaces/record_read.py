"""Records reads of personal data by admin and privacy keys in the ledger."""

from identity.spaces.space import Space
from identity.store.ledger import ledger


async def note(space: Space, actor: str, action: str, subject: str | None) -> None:
    """Append an entry: actor (public id of a key), action, subject (public id of a profile, never an identifier)."""
    async with space.database.transaction() as connection:
        await ledger.note(connection, space.tenant.id, actor, action, subject)
