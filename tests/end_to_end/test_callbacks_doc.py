"""The commands and the code of the page on callbacks run and do what the page says."""

import os
import re
import subprocess
from typing import Any

from tests.app.conftest import Deployment, Shop, until
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "callbacks.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.strip().splitlines()]
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_commands_and_code_of_the_callbacks_page_work(calling: Shop, deployment: Deployment) -> None:
    """Its commands succeed, its first code believes what is sent, and what its second code signs is taken, once."""
    receiver = deployment.receiver
    received: list[tuple[bytes, dict[str, str]]] = []
    receiver.raw = lambda body, headers: received.append((body, headers))
    answers = []
    for line in COMMANDS:
        command = line.replace("http://127.0.0.1:8000", deployment.running.url)
        command = command.replace("https://hooks.example.org/onefold", receiver.url)
        done = subprocess.run(
            ["bash", "-c", command.replace("curl -s", "curl -s --noproxy '*' --fail-with-body", 1)],
            env={**os.environ, "ADMIN": calling.keys["admin"]}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (line, done.returncode, done.stderr) == (line, 0, "")
        answers.append(done.stdout)
    assert len(BLOCKS) == 2
    until(lambda: received)
    secret = re.findall(r'"callback_secret":"(whsec_[^"]+)"', answers[1])[0]
    shown: dict[str, Any] = {"secret": secret, "body": received[0][0], "headers": received[0][1]}
    for block in BLOCKS:
        exec(block, shown)
    assert shown["message"]["resync"] is True
    path = shown["url"].removeprefix("http://127.0.0.1:8000")
    statuses = [calling.client.post(path, content=shown["ack"], headers=shown["signed"]).status_code for _ in range(2)]
    assert statuses == [200, 409]
