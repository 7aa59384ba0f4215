"""One entry of the ledger, for reads of personal data by admin and privacy keys."""

from identity.spaces.space import Space
from identity.store.ledger import ledger


async def note(space: Space, actor: str, action: str, subject: str | None) -> None:
    """Who (a key's public id) did what to which profile (its public id, never an identifier)."""
    async with space.database.transaction() as connection:
        await ledger.note(connection, space.tenant.id, actor, action, subject)
