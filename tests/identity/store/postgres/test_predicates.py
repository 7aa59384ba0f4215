"""Conditions of partial indexes: the queries and the indexes have the same."""

import re

import pytest

from identity.store.postgres.predicates import erasure_open, erasure_waiting, job_open, notice_open
from tests.conftest import ROOT

MIGRATIONS = "\n".join(path.read_text() for path in sorted((ROOT / "migrations" / "versions").glob("[0-9]*.py")))


def plain(text: str) -> str:
    """A condition without blanks and brackets."""
    return re.sub(r"[\s()]", "", text).lower()


@pytest.mark.parametrize("condition", [job_open, erasure_open, notice_open])
def test_a_migration_has_an_index_with_the_condition(condition: object) -> None:
    """Postgres uses the index only for a query that repeats the condition."""
    assert callable(condition)
    assert plain(condition()) in plain(MIGRATIONS), condition()


def test_the_name_of_a_table_stands_before_each_column() -> None:
    """In a query of several tables."""
    assert (job_open("j."), notice_open("n."), erasure_waiting("e.")) == (
        "j.state < 2", "n.state NOT IN (3, 4, 5)", "e.state < 2",
    )  # fmt: skip
    assert erasure_open("e.").count("e.state") == 2
    assert "{" not in "".join(condition() for condition in (job_open, erasure_open, notice_open))
