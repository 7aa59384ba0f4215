"""Reads the subjects of a regulation: a type in Segment's spelling, and values of this type."""

from collections.abc import Sequence

from identity.operations.privacy.request_erasure import MOST_IDENTIFIERS
from identity.planning.privacy.segment_regulations import subject_type
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import known_types, require_count, sort_identifiers
from identity.spaces.space import Space
from identity.store.ingest.identifier_owners import owners as owners_of
from identity.values.errors import BadIdentifier, BadRegulation
from identity.values.identifiers import BUILT_IN, parse
from identity.values.near_types import typed_value
from identity.values.unknown_names import UnknownType, shown, type_help


async def read_subjects(space: Space, type_name: str, values: Sequence[str], *, of_people: bool) -> list[str]:
    """The subjects as `type:value`. UnknownType for a type that nobody knows; BadRegulation names each bad value.

    TooManyAsked where more values are named than a request may have.

    `of_people` refuses placeholders, which nobody can have.
    """
    if not values:
        raise BadRegulation("subjectIds is empty; name 1 to 5,000 values of the subjectType. Nothing was done.")
    require_count(values, MOST_IDENTIFIERS, "subjectIds")
    type_ = subject_type(type_name)
    known = await known_types(space)
    if type_ not in known:
        name, help_ = shown(type_name, "with this name", known), type_help(type_name, known, BUILT_IN)
        raise UnknownType(f"subjectType: no identifier of the type {name} is known here. {help_}")
    texts = [f"{type_}:{value}" for value in values]
    if of_people:
        await require_bare(space, texts, "subjectIds")
    _, faults = await sort_identifiers(space, texts, "subjectIds", of_people=of_people)
    empty = [at for at, value in enumerate(values) if not value.strip()]
    if empty:
        raise BadRegulation(f"subjectIds[{empty[0]}] is empty; send the value alone, such as u1. Nothing was done.")
    if faults:
        raise BadRegulation(f"{' '.join(fault.detail for fault in faults[:3])} Nothing was done.")
    return texts


async def require_bare(space: Space, texts: Sequence[str], field: str, suffix: str = "") -> None:
    """Refuse a `type:value` that nobody has and whose value begins with a type once more. BadRegulation.

    `field` is the list that holds the values, `suffix` the member of its entries.
    """
    for at, text in enumerate(texts):
        written = typed_value(text.partition(":")[2])
        if written is not None and not await _is_known(space, text):
            raise BadRegulation(f"{field}[{at}]{suffix}: nobody has this value. {written} Nothing was done.")


@retry_on_key_rotation
async def _is_known(space: Space, text: str) -> bool:
    try:
        identifier = parse(text, (await space.rules()).region)
    except BadIdentifier:
        return False
    async with space.database.reading() as connection:
        keys = space.keys.identifiers(identifier.type, identifier.value)
        return bool(await owners_of(connection, space.tenant, keys))
