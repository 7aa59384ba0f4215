"""The shapes of privacy work: what is asked for on a person's behalf, and how far it is."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from identity.operations.profiles.answers import CanonicalProfile
from identity.values.public_fields import Time

ErasureId = Annotated[str, Meta(examples=["ers_0197c1a2b3c47d5e8f90a1b2c3d4e5f6"])]
Reason = Annotated[str, Meta(min_length=1, max_length=2_000)]
State = Literal["received", "on_hold", "finished", "duplicate", "cancelled"]


class Erase(Struct):
    """People to be erased, by identifiers written `type:value`, 1 to 5,000; with `suppress` for good."""

    identifiers: list[str]
    suppress: bool = True
    regulation: Literal["gdpr", "ccpa", "none"] = "none"


class Backups(Struct):
    """Whether a backup can still be opened, and from when it cannot."""

    state: Literal["pending", "safe"]
    safe_at: Time | None


class Notified(Struct):
    """What a destination that was told of somebody has said of their erasure."""

    destination_id: str
    name: str
    status: str
    at: Time


class Erasure(Struct):
    """An erasure: what lies here, what destinations said and when backups are safe are kept apart."""

    erasure_id: ErasureId
    request_id: str
    identifier_type: str
    regulation: str
    internal: State
    internal_at: Time | None
    destinations: list[Notified]
    backups: Backups
    overall: str
    received_at: Time
    due_at: Time | None
    extended_at: Time | None
    clock: Literal["on_time", "at_risk", "overdue"]
    duplicate_of: ErasureId | None
    destroyed: dict[str, Any] | None
    subject_commitment: str


class ErasureMade(Struct):
    """An erasure as it is answered, with the identifier it was asked for and the salt of its commitment.

    SHA-256(salt, identifier) is the subject_commitment of the receipt; the salt is not kept.
    """

    erasure_id: ErasureId
    identifier: str
    internal: State
    due_at: Time | None
    salt: str
    subject_commitment: str


class ErasuresMade(Struct):
    """What a request came to, in its order. The data is unreadable and the suppression holds."""

    request_id: str
    erasures: list[ErasureMade]


class Erasures(Struct):
    """A page of erasures, the newest first."""

    erasures: list[Erasure]
    next_cursor: str | None


class Heard(Struct):
    """What a destination has said of an erasure, and the hash of what it signed when it was done."""

    id: str
    name: str
    status: str
    at: Time
    ack_sha256: str | None


class Receipt(Struct):
    """Signed proof of an erasure; docs/verify_receipt.py checks it offline."""

    v: int
    receipt_id: str
    erasure_id: ErasureId
    space: str
    regulation: str
    received_at: Time
    internal_done_at: Time
    backup_safe_at: Time | None
    backups: Backups
    erasure_strength: str
    subject_commitment: str
    keys_shredded: int
    key_ids_merkle_root: str | None
    rows_deleted: dict[str, int]
    exports_destroyed: int
    kept: str
    destinations: list[Heard]
    duplicate_of: ErasureId | None
    ledger_seq: str
    ledger_head: str
    scan: dict[str, Any] | None
    software: str
    kid: str
    sig: str


class PublicKey(Struct):
    """A key that receipts are checked with."""

    kid: str
    alg: str
    public_key: str


class PublicKeys(Struct):
    """Every key that ever signed a receipt of this deployment."""

    keys: list[PublicKey]


class Extend(Struct):
    """Why a request takes longer than the law gives; it allows so once."""

    reason: Reason


class Identifiers(Struct):
    """Identifiers written `type:value`, 1 to 5,000."""

    identifiers: list[str]


class Suppressed(Struct):
    """How many identifiers were suppressed."""

    suppressed: int
    at: Time


class Lifted(Struct):
    """For how many identifiers a suppression was lifted."""

    lifted: int
    at: Time


class Suppressions(Struct):
    """How many identifiers are suppressed and for how long; which they are is never told."""

    total: int
    oldest_days: int | None
    newest_days: int | None
    by_age: dict[str, int]
    erased_recently: int


class NewHold(Struct):
    """A litigation hold: nobody who bears one of these is erased while it stands."""

    identifiers: list[str]
    reason: Reason


class HoldInfo(Struct):
    """A hold that stands."""

    hold_id: str
    created_at: Time
    identifiers: int
    reason: str
    actor: str


class Holds(Struct):
    """The holds of a space, the oldest first."""

    holds: list[HoldInfo]


class Held(Struct):
    """Whoever is under a hold."""

    profiles: list[CanonicalProfile]


class Released(Struct):
    """A hold that ended, and how many erasures waited for that."""

    hold_id: str
    released_at: Time
    resumed: int


class NewExport(Struct):
    """Whose data to gather, by identifiers written `type:value`, 1 to 1,000: all that their profiles fold."""

    identifiers: list[str]
    regulation: Literal["gdpr", "ccpa", "none"] = "none"


class ExportMade(Struct):
    """An export that is being gathered. The address fetches it once; it is told this once.

    `unknown` are the identifiers that nobody bears.
    """

    export_id: str
    request_id: str
    job_id: str
    state: str
    done: int
    total: int
    unknown: list[str]
    download_url: str


class Export(Struct):
    """How far an export is; once it is ready it can be fetched until `expires_at`."""

    export_id: str
    job_id: str
    state: Literal["running", "ready", "fetched", "failed"]
    done: int
    total: int
    created_at: Time
    expires_at: Time


class Exported(Struct):
    """Everything held, by profile and section, each item with the profile it arrived at."""

    export: dict[str, str]
    profiles: list[dict[str, list[dict[str, Any]]]]
