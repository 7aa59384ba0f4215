"""The document of an origin."""

from identity.values.documents import DeviceStatements, Document


def test_the_sections_are_all_its_entries() -> None:
    """A new kind of entry would be missed by a walk of the sections; the size and the orders are no entries."""
    device = DeviceStatements()
    document = Document(devices={"d": device})
    fields = [name for name in document.__struct_fields__ if name not in ("size", "orders", "devices")]
    entries = [*(getattr(document, name) for name in fields), device.consent, device.signals]

    assert sorted(map(id, document.sections)) == sorted(map(id, entries))
