"""The image, checked without a build: its user, its files, its command."""

import json
import re
import tomllib
from typing import Any

from app.cli import cli
from app.main import create_app
from app.settings import Settings, variable
from tests.conftest import ROOT

TEXT = (ROOT / "docker" / "Dockerfile").read_text()
STEPS = [
    tuple(line.split(None, 1))
    for line in re.sub(r"\\\n", "", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
    if line.strip()
]
LAST = STEPS[max(n for n, step in enumerate(STEPS) if step[0] == "FROM") :]
IGNORE = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]


def steps(kind: str, among: list[Any] = STEPS) -> list[str]:
    """What the steps of a kind say."""
    return [step[1] for step in among if step[0] == kind]


def test_a_user_of_its_own_runs_the_server() -> None:
    """The last user that is set is neither root nor a number that nobody made."""
    user = steps("USER", LAST)[-1]

    assert user not in {"root", "0"}
    assert any(re.search(rf"useradd .*\b{user}\b", step) for step in steps("RUN", LAST))
    assert [step[0] for step in LAST].index("USER") < [step[0] for step in LAST].index("CMD")


def test_only_what_is_named_gets_in() -> None:
    """Nothing is added from elsewhere, and of the checkout only what the list of exceptions lets through."""
    copied = {name for step in steps("COPY") if not step.startswith("--from") for name in step.split()[:-1]}

    assert steps("ADD") == []
    assert IGNORE[0] == "*"
    assert copied == {line.removeprefix("!") for line in IGNORE if line.startswith("!")}
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_no_secret_is_part_of_the_image() -> None:
    """No variable of a secret is set while it is built, and no file that could hold one is copied."""
    known = {variable(name) for name in Settings.model_fields}
    set_here = {name for step in (*steps("ENV"), *steps("ARG")) for name in re.findall(r"(\w+)=", step)}
    secret = {name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}

    assert secret == {"admin_token", "root_key", "new_root_key", "login_password"}
    assert not set_here & {variable(name) for name in {*secret, "database_url"}}
    assert {name for name in set_here if name.startswith("ONEFOLD_")} <= known


def test_everything_is_installed_from_the_locks_and_the_wheel() -> None:
    """Each install checks hashes, or takes nothing but the wheel that was built before."""
    installs = [part for step in steps("RUN") for part in step.split("&&") if "pip install" in part]

    assert len(installs) == 3
    assert all("--require-hashes" in each or ("--no-index" in each and each.endswith(".whl")) for each in installs)
    assert any("hatchling build -t wheel" in step for step in steps("RUN"))
    assert not any(step.startswith(("app", "identity", "migrations")) for step in steps("COPY", LAST))


def test_what_is_started_exists() -> None:
    """The program is one of the wheel's, its command one of the program's, and what is asked for its health a route."""
    program, command = json.loads(steps("CMD")[-1])
    health = steps("HEALTHCHECK")[-1]
    asked = re.search(r"127\.0\.0\.1:(\d+)(/\w+)", health)

    assert program in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert command in {each.name or getattr(each.callback, "__name__", "") for each in cli.registered_commands}
    assert asked
    assert int(asked.group(1)) == Settings().port == int(steps("EXPOSE")[-1])
    assert asked.group(2) in create_app(Settings()).api.openapi()["paths"]
