"""The items of an access export: each section has a shape with the fields that its table needs."""

from typing import get_args, get_type_hints

import msgspec
import pytest

from app.schemas.exports.export_items import ExportedProfile, export_item
from identity.operations.privacy.access_exports.access_export_sections import GroupAtOrigin
from identity.planning.privacy.access_export import SECTIONS
from identity.values.ids import ProfileId
from identity.values.stamps import Micros

ORIGIN = ProfileId(b"o" * 16)


def shape(section: str) -> type[msgspec.Struct]:
    """The shape of the items of a section."""
    (items,) = [each for each in get_args(get_type_hints(ExportedProfile)[section]) if each is not msgspec.UnsetType]
    found: type[msgspec.Struct] = get_args(items)[0]
    return found


def test_a_profile_has_every_section_in_order() -> None:
    """As the export is written."""
    assert ExportedProfile.__struct_fields__ == tuple(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_an_item_has_the_fields_of_the_table(section: str) -> None:
    """Its name, value and time, and the profile that it comes from."""
    assert {*SECTIONS[section], "profile_id"} <= set(shape(section).__struct_fields__)


def test_a_value_is_rendered_by_its_section() -> None:
    """Ids and times become text."""
    item = export_item("groups", GroupAtOrigin("g1", True, Micros(0), ORIGIN))
    assert isinstance(item, shape("groups"))
    assert msgspec.to_builtins(item) == {
        "group_id": "g1",
        "member": True,
        "at": "1970-01-01T00:00:00.000Z",
        "profile_id": f"prf_{ORIGIN.hex()}",
    }
