"""A body that is no JSON is explained with its line, its column and the usual cause."""

import base64
import gzip
import json
import time
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.body import decode, decode_calls
from app.http.error_responses import Unreadable
from app.http.json_errors import explain_json


@pytest.mark.parametrize(
    ("raw", "place", "cause"),
    [
        (b'{"a": 1,}', "line 1, column 9", "trailing comma"),
        (b"[1, 2,\n\n]", "line 3, column 1", "trailing comma"),
        (b'{"a": "NaN",\n "b": NaN}', "line 2, column 7", "NaN"),
        (b'{"a": -Infinity}', "line 1, column 7", "Infinity"),
        (b'{"a": 1e999}', "line 1, column 7", "too large"),
        (b"9" * 5_000, "line 1, column 1", "too large"),
        (b'\xef\xbb\xbf{"a": 1}', "line 1, column 1", "byte order mark"),
        ('{"a": 1}'.encode("utf-16"), "line 1, column 1", "UTF-16"),
        ('{"a": 1}'.encode("utf-16-le"), "line 1, column 1", "UTF-16"),
        ('{"ü": 1}'.encode("utf-16-be"), "line 1, column 1", "UTF-16"),
        ('["a"]'.encode("utf-32"), "line 1, column 1", "UTF-32"),
        ('["a"]'.encode("utf-32-be"), "line 1, column 1", "UTF-32"),
        (gzip.compress(b'{"a": 1}', mtime=0), "line 1, column 1", "Content-Encoding: gzip"),
        (zlib.compress(b'{"a": 1}'), "line 1, column 1", "zlib"),
        (b"PK\x03\x04abc", "line 1, column 1", "zip archive"),
        (b"(\xb5/\xfdabc", "line 1, column 1", "zstd"),
        (b'{"a": "\xff"}', "line 1, column 8", "UTF-8"),
        ('{"é": "é", "b": x}'.encode(), "line 1, column 17", "double quotes"),
        (b"{'a': 1}", "line 1, column 2", "single quotes"),
        (b"{a: 1}", "line 1, column 2", "double quotes"),
        (b'{"a": undefined}', "line 1, column 7", "true, false and null"),
        (b'{"a": True}', "line 1, column 7", "true, false and null"),
        (b'{"a": 1} x', "line 1, column 10", "more text follows"),
        (b'{"a": 1}\n{"b": 2}', "line 2, column 1", "another document follows"),
        (base64.b64encode(b'{"a": 1}'), "line 1, column 1", "base64"),
        (b'{"a": 1', "line 1, column 8", "ends too early"),
        (b'{"a": "b', "line 1, column 7", "closing quotation mark"),
        (b'{"a": "b\nc"}', "line 1, column 9", "control character"),
        (b'{"a": "\\x"}', "line 1, column 8", "escape sequence"),
        (b'"\\ud800"', "line 1, column 2", "surrogate"),
        (b'{"a" 1}', "line 1, column 6", "colon"),
        (b'{"a": 1 "b": 2}', "line 1, column 9", "comma"),
        (b'{"a": 1} // note', "line 1, column 10", "comments"),
        (b"identifiers=user_id%3Au1&suppress=true", "line 1, column 1", "form fields"),
        (b"<a/>", "line 1, column 1", "XML or HTML"),
        (b"*", "line 1, column 1", "does not belong here"),
        (b"Word", "line 1, column 1", "double quotes"),
        (b" \n ", "line 2, column 2", "ends too early"),
    ],
)  # fmt: skip
def test_the_place_and_the_cause_are_named(raw: bytes, place: str, cause: str) -> None:
    """The refusal of the body carries both."""
    with pytest.raises(Unreadable) as refused:
        decode(raw)
    assert refused.value.code == "invalid_json"
    assert f"at {place}:" in str(refused.value)
    assert cause in str(refused.value)


@pytest.mark.parametrize("raw", ['{"batch": []}'.encode("utf-16-le"), gzip.compress(b'{"batch": []}', mtime=0)])
def test_a_batch_in_another_encoding_is_named_and_not_mended(raw: bytes) -> None:
    """A mended body would be explained in the place of the one that was sent."""
    with pytest.raises(Unreadable, match=r"UTF-16|gzip"):
        decode_calls(raw)


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\nN-1e\n aI/', max_size=40).map(str.encode))
def test_every_body_that_is_no_json_has_a_place(raw: bytes) -> None:
    """No body breaks the explanation, and the message repeats nothing of it."""
    try:
        msgspec.json.decode(raw)
    except (msgspec.MsgspecError, ValueError):
        message = explain_json(raw)
        assert message.startswith("The body is not valid JSON at line ")
        assert len(message) < 200


@pytest.mark.parametrize(
    "raw",
    [
        b'["' + b'\\"' * 200_000 + b"\n",
        b'{"a": "' + b'\\"' * 200_000,
        b"=" * 400_000,
        b"a" * 400_000,
        b"[" * 400_000,
        b"9" * 400_000,
        b"-" * 400_000,
        json.dumps(["x" * 100] * 3_000).encode() + b",",
    ],
    ids=["escapes", "open text", "equals", "letters", "brackets", "digits", "signs", "long list"],
)
def test_a_large_body_is_explained_in_time_in_proportion_to_its_size(raw: bytes) -> None:
    """A pattern that looks back over the body would take minutes, and the timeout of the suite ends those."""
    begun = time.process_time()
    explain_json(raw)
    assert time.process_time() - begun < 60
