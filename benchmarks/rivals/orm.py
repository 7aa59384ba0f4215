"""The reading rival: FastAPI, pydantic and the SQLAlchemy ORM, on Onefold's tables and with its keys.

It is what most teams would write: entities loaded by their keys and by one join, in a synchronous
session on FastAPI's threads, and a response model that validates and serialises. Unsealing and
folding are Onefold's own functions.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
from anyio import to_thread
from fastapi import FastAPI, Header, HTTPException
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from sqlalchemy import and_, create_engine, or_, select
from sqlalchemy.orm import Session, sessionmaker
from sqlmodel import col

from app.schemas.profiles import canonical_profile
from benchmarks.rivals import keys
from identity.operations.profiles.profile import OpenedProfile
from identity.spaces.space import Space
from identity.store.profiles.profile_queries import SealedIdentifierRow, SealedOriginRow
from identity.store.tables.keys import SlotKeyTable, SubjectKeyTable
from identity.store.tables.profiles import IdentifierTable, ProfileDocumentTable, ProfileIdentifierTable, ProfileTable
from identity.values.identifiers import parse
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp


class HeldIdentifier(BaseModel):
    """One identifier of a profile."""

    type: str
    value: str
    first_seen: str
    last_seen: str
    retired: bool


class ProfileAnswer(BaseModel):
    """A profile in the shape of the API."""

    profile_id: str
    merged_from: list[str]
    created_at: str
    updated_at: str
    version: int
    event_count: int
    identifiers: list[HeldIdentifier]
    traits: dict[str, Any]
    consent: dict[str, dict[str, Any]]
    groups: list[str]


class Store:
    """The sessions and the space."""

    space: Space
    sessions: sessionmaker[Session]


store = Store()


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    url = os.environ["BENCH_URL"].replace("postgresql://", "postgresql+psycopg://")
    size = int(os.environ["BENCH_READERS"])
    # No more threads than connections: more would only compete for the interpreter.
    to_thread.current_default_thread_limiter().total_tokens = size
    engine = create_engine(url, pool_size=size, max_overflow=0, pool_timeout=120)
    opened = await keys.spaces()
    store.space = await keys.only_space(opened)
    store.sessions = sessionmaker(engine, expire_on_commit=False)
    yield
    engine.dispose()
    await opened.database.close()


def create() -> FastAPI:
    """The factory that uvicorn calls."""
    app = FastAPI(lifespan=_lifespan)
    app.get("/healthz")(_health)
    app.get("/v1/profiles/{ref}")(_profile)
    return app


async def _health() -> dict[str, bool]:
    return {"ok": True}


async def _profile(ref: str, authorization: str = Header()) -> ProfileAnswer:
    if authorization != f"Bearer {os.environ['BENCH_KEY']}":
        raise HTTPException(401)
    loaded = await run_in_threadpool(_load, ref)
    if loaded is None:
        raise HTTPException(404)
    answer = canonical_profile(await OpenedProfile(store.space, *loaded).fold_profile())
    return ProfileAnswer.model_validate(msgspec.to_builtins(answer))


def _load(ref: str) -> tuple[ProfileId, list[SealedOriginRow], list[SealedIdentifierRow]] | None:
    space = store.space
    tenant = (space.tenant.id, space.tenant.base)
    identifier = parse(ref, "US")
    key = space.keys.identifier(identifier.type, identifier.value)
    with store.sessions() as session:
        held = session.get(IdentifierTable, (key, *tenant))
        if held is None:
            return None
        origin = session.get(ProfileTable, (held.profile_id, *tenant))
        assert origin
        mine = or_(
            col(ProfileTable.profile_id) == origin.head,
            and_(col(ProfileTable.head) == origin.head, col(ProfileTable.head) != col(ProfileTable.profile_id)),
        )
        here = (col(ProfileTable.space_id) == tenant[0], col(ProfileTable.bucket) == tenant[1])
        members = session.execute(
            select(ProfileTable, SubjectKeyTable, SlotKeyTable, ProfileDocumentTable)
            .join(
                SubjectKeyTable,
                _beside(SubjectKeyTable, ProfileTable, SubjectKeyTable.profile_id, ProfileTable.profile_id),
            )
            .join(SlotKeyTable, _beside(SlotKeyTable, SubjectKeyTable, SlotKeyTable.slot, SubjectKeyTable.slot))
            .outerjoin(
                ProfileDocumentTable,
                _beside(ProfileDocumentTable, ProfileTable, ProfileDocumentTable.profile_id, ProfileTable.profile_id),
            )
            .where(mine, *here)
        ).all()
        ids = [member.profile_id for member, *_ in members]
        identifiers = session.scalars(
            select(ProfileIdentifierTable).where(
                col(ProfileIdentifierTable.profile_id).in_(ids),
                col(ProfileIdentifierTable.space_id) == tenant[0],
                col(ProfileIdentifierTable.bucket) == tenant[1],
            )
        )
        found = [_member(*row) for row in members]
        return ProfileId(origin.head.bytes), found, [_held(each, origin.head) for each in identifiers]


def _beside(table: Any, other: Any, mine: Any, theirs: Any) -> Any:
    """Return the condition that joins two tables of a space."""
    return and_(mine == theirs, table.space_id == other.space_id, table.bucket == other.bucket)


def _held(i: ProfileIdentifierTable, root: UUID) -> SealedIdentifierRow:
    times = (Micros(i.first_seen), Micros(i.last_seen), Stamp(i.linked_at))
    return SealedIdentifierRow(
        ProfileId(i.profile_id.bytes), ProfileId(root.bytes), i.type, *times, i.value, BlindIndex(i.key), i.retired
    )


def _member(
    profile: ProfileTable, subject: SubjectKeyTable, slot: SlotKeyTable, document: ProfileDocumentTable | None
) -> SealedOriginRow:
    return SealedOriginRow(
        id=ProfileId(profile.profile_id.bytes),
        root=ProfileId(profile.head.bytes),
        canonical=ProfileId(profile.canonical.bytes),
        joined_to=None if profile.joined_to is None else ProfileId(profile.joined_to.bytes),
        joined_at=None if profile.joined_at is None else Stamp(profile.joined_at),
        version=profile.version,
        stamp=Stamp(profile.stamp),
        oldest_birth=Stamp(profile.elder),
        events=profile.events,
        slot=subject.slot,
        epoch=slot.epoch,
        document_version=document.version if document else None,
        key_id=subject.key_id.bytes,
        wrapped=subject.wrapped,
        slot_wrapped=slot.wrapped,
        document=document.document if document else None,
        own=profile.own,
    )


def _bytes(id_: UUID | None) -> bytes | None:
    return None if id_ is None else id_.bytes
