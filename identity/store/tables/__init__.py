"""Every table, declared once. `alembic check` in the tests holds the migrations to it.

Tenant tables carry `space_id` and `bucket` in their primary key, the selective column first and
`bucket` last: `bucket` is routing and nothing else. No column ever holds personal data in clear:
values are sealed (`bytea`), keys are blind indexes.
"""

from identity.store.tables import (
    calls,
    corrections,
    destinations,
    feed,
    groups,
    keys,
    ledger,
    privacy,
    profiles,
    spaces,
)

__all__ = ["calls", "corrections", "destinations", "feed", "groups", "keys", "ledger", "privacy", "profiles", "spaces"]
