"""The documentation hangs together: links, paths, the index, the settings, the tour and the picture of a call."""

import re
import shlex
from pathlib import Path

import pytest

from app.commands import tour
from app.settings import Settings, variable
from tests.conftest import ROOT
from tests.support.pages import PAGES, calls, name_of

ADDRESS = "http://127.0.0.1:8000"


def test_the_tour_makes_the_calls_of_the_readme() -> None:
    """`make run` plays the same calls, in the same order and with the same sentences."""
    listed = [shlex.split(command.text) for command in calls(ROOT / "README.md")]
    sentences = " ".join((ROOT / "README.md").read_text().split())

    assert listed == [shlex.split(tour.command(step, ADDRESS)) for step in tour.STEPS]
    assert [step.text for step in tour.STEPS if step.text not in sentences] == []


def test_every_setting_is_documented_with_its_default() -> None:
    """The table in docs/operating.md lists what can be set, all of it, with the defaults that hold."""
    rows = re.findall(r"^\| (`ONEFOLD_[^|]+) \| ([^|]*) \|", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE)
    listed: dict[str, str] = {}
    for names, default in rows:
        values = re.findall(r"`([^`]+)`", default)
        found = re.findall(r"`(\w+)`", names)
        listed |= dict(zip(found, values if len(values) == len(found) else [default] * len(found), strict=True))
    defaults = {variable(name): each.default for name, each in Settings.model_fields.items()}
    plain = {name: str(default) for name, default in defaults.items() if default not in (None, ())}

    assert set(listed) == set(defaults)
    assert {name: listed[name] for name in plain} == plain


DOCUMENTS = [*PAGES, *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"))]


@pytest.mark.parametrize("page", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    """What a page links to within the project is there, down to the heading; so is each path that it names."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    broken = []
    for link in links:
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (heading and heading not in headings(target)):
            broken.append(link)
    paths = re.findall(r"`((?:tests|benchmarks|identity|app|migrations|docker)/[\w/.]+)`", text)

    assert broken == []
    assert [path for path in paths if not (ROOT / path).exists()] == []


def headings(page: Path) -> set[str]:
    """The names by which a link reaches the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_index_lists_every_page() -> None:
    """docs/README.md links to each page of documentation."""
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES[1:]} - {"README.md"}

    assert {page for page in pages if f"]({page})" not in index} == set()


def test_the_picture_of_a_call_names_modules_that_exist() -> None:
    """Each module in docs/call-path.svg is there; identity/ is left out of its name."""
    named = re.findall(
        r">((?:app|identity|operations|planning|store)/[\w/]+)", (ROOT / "docs" / "call-path.svg").read_text()
    )
    paths = [ROOT / (name if name.startswith(("app/", "identity/")) else f"identity/{name}") for name in named]

    assert len(paths) > 10
    assert [path for path in paths if not (path.exists() or path.with_suffix(".py").exists())] == []


def test_architecture_names_every_folder() -> None:
    """Each folder that holds modules is in the tables of docs/architecture.md."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    modules = [path for top in ("app", "identity") for path in (ROOT / top).rglob("*.py") if path.stem != "__init__"]
    folders = {module.parent.relative_to(ROOT) for module in modules}

    assert sorted(str(each) for each in folders if f"| `{each}` |" not in text) == []


def test_architecture_names_what_a_file_really_holds() -> None:
    """A stranger who searches for the name in the file finds it."""
    text = " ".join((ROOT / "docs" / "architecture.md").read_text().split())
    named = re.findall(r"`(\w+)`(?: and `\w+`)? in `([\w/]+\.py)`", text)
    missing = [(name, path) for name, path in named if not re.search(rf"\b{name}\b", (ROOT / path).read_text())]

    assert len(named) > 30
    assert missing == []


def test_architecture_names_every_table() -> None:
    """Each table of the database is in the list of docs/architecture.md."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    declared = "\n".join(path.read_text() for path in (ROOT / "identity" / "store" / "tables").glob("*.py"))
    tables = re.findall(r'__tablename__ = "(\w+)"', declared)

    assert len(tables) > 30
    assert [table for table in tables if f"`{table}`" not in text] == []
