"""How a column is declared."""


def test_a_declaration_becomes_the_column_that_it_says() -> None:
    """Never null unless it says so, and no number is drawn for a key; a default is that of the database."""
    from sqlalchemy import Integer, LargeBinary
    from sqlmodel import SQLModel

    from identity.store.tables.columns import column, primary

    class Example(SQLModel, table=True):
        space_id: int = primary(Integer)
        id: bytes = primary()
        count: int = column(Integer, default="7")
        note: bytes | None = column(LargeBinary, null=True)

    table = Example.__table__  # type: ignore[attr-defined]
    SQLModel.metadata.remove(table)

    assert [each.name for each in table.primary_key] == ["space_id", "id"]
    assert [each.autoincrement for each in table.primary_key] == [False, False]
    assert {each.name: each.nullable for each in table.columns} == {
        "space_id": False, "id": False, "count": False, "note": True,
    }  # fmt: skip
    assert str(table.c["count"].server_default.arg) == "7"
    assert table.c.note.server_default is None
