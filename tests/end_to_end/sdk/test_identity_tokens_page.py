"""The code that docs/identity-tokens.md shows signs tokens that count, and a page sends them."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.app.conftest import Shop
from tests.conftest import ROOT
from tests.end_to_end.sdk.browser_page import Visit
from tests.end_to_end.sdk.conftest import node

PAGE = (ROOT / "docs" / "identity-tokens.md").read_text()
(PYTHON,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
NODE, BROWSER = re.findall(r"```js\n(.*?)```", PAGE, re.DOTALL)
(BODY,) = re.findall(r"-d '(\{[^']*\})' http://127.0.0.1:8000/v1/identity-keys", PAGE)
EMAIL = "ann@example.org"


def a_key(shop: Shop) -> dict[str, str]:
    """What the code of the page needs, by the names that it uses."""
    made = shop.ask("POST", "/v1/identity-keys", json=json.loads(BODY)).json()
    return {"SPACE": shop.space_id, "SECRET": made["secret"], "KEY_ID": made["key_id"]}


def by_python(shop: Shop) -> str:
    """A token for Ann by the code of the page."""
    shown: dict[str, Any] = a_key(shop)
    exec(PYTHON, shown)
    return str(shown["identity_token"]("ann", EMAIL))


def identifiers(shop: Shop, ref: str) -> set[str]:
    """The identifiers of the profile of an identifier."""
    found = shop.ask("GET", f"/v1/profiles/{ref}").json()["identifiers"]
    return {f"{each['type']}:{each['value']}" for each in found}


def send(shop: Shop, token: str) -> None:
    """A call of a page."""
    body = {"anonymousId": "laptop", "userId": "ann", "context": {"identityToken": token}}
    assert shop.ask("POST", "/v1/identify", "write", json=body).status_code == 200


def test_the_python_code_signs_a_token_that_counts(shop: Shop) -> None:
    """With PyJWT."""
    shop.send({"type": "identify", "traits": {"email": EMAIL}})
    send(shop, by_python(shop))
    assert identifiers(shop, f"email:{EMAIL}") == {"user_id:ann", f"email:{EMAIL}", "anonymous_id:laptop"}


def test_the_node_code_signs_a_token_that_counts(shop: Shop, tmp_path: Path) -> None:
    """Without any package."""
    script = tmp_path / "token.mjs"
    script.write_text(f"{NODE}\nconsole.log(identityToken('ann', '{EMAIL}'))\n")
    environment = {**os.environ, **a_key(shop)}
    done = subprocess.run([str(node()[0]), str(script)], check=True, timeout=60, env=environment, capture_output=True)
    shop.send({"type": "identify", "traits": {"email": EMAIL}})
    send(shop, done.stdout.decode().strip())
    assert identifiers(shop, f"email:{EMAIL}") == {"user_id:ann", f"email:{EMAIL}", "anonymous_id:laptop"}


def test_a_page_takes_no_address_of_a_stranger_and_one_that_a_token_proves(
    shop: Shop, visit: Callable[..., Visit]
) -> None:
    """The browser SDK: first Mallory claims the address of Ann, then Ann is signed in, each in her own browser."""
    shop.send({"type": "identify", "traits": {"email": EMAIL, "plan": "pro"}})
    before = identifiers(shop, f"email:{EMAIL}")
    stranger = visit()
    stranger.page.evaluate(f"analytics.identify('mallory', {{ email: '{EMAIL}' }})")
    stranger.page.wait_for_load_state("networkidle")
    # SDKs resolve before their requests are answered.
    assert identifiers(shop, f"email:{EMAIL}") == before == {f"email:{EMAIL}"}
    assert f"email:{EMAIL}" not in identifiers(shop, "user_id:mallory")

    person = visit()
    token = by_python(shop)
    device = person.page.evaluate(
        f"async (identityToken) => {{ await {BROWSER}; return (await analytics.user()).anonymousId() }}", token
    )
    person.page.wait_for_load_state("networkidle")
    assert identifiers(shop, f"email:{EMAIL}") == {"user_id:ann", f"email:{EMAIL}", f"anonymous_id:{device}"}
    assert shop.ask("GET", "/v1/profiles/user_id:ann").json()["traits"]["plan"] == "pro"
