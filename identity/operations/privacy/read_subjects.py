"""Reads the subjects of a regulation: a type in Segment's spelling, and values of this type."""

from collections.abc import Sequence

from identity.operations.privacy.request_erasure import MOST_IDENTIFIERS
from identity.planning.privacy.segment_regulations import subject_type
from identity.spaces.named_identifiers import known_types, require_count, sort_identifiers
from identity.spaces.space import Space
from identity.values.errors import BadRegulation
from identity.values.identifiers import BUILT_IN
from identity.values.unknown_names import UnknownType, hint, shown


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
        name, help_ = shown(type_name, "with this name", known), hint(type_name, known, BUILT_IN)
        raise UnknownType(f"subjectType: no identifier of the type {name} is known here. {help_}")
    texts = [f"{type_}:{value}" for value in values]
    _, faults = await sort_identifiers(space, texts, "subjectIds", of_people=of_people)
    empty = [at for at, value in enumerate(values) if not value.strip()]
    if empty:
        raise BadRegulation(f"subjectIds[{empty[0]}] is empty; send the value alone, such as u1. Nothing was done.")
    if faults:
        raise BadRegulation(f"{' '.join(fault.detail for fault in faults[:3])} Nothing was done.")
    return texts
