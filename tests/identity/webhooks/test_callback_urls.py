"""Which addresses may be called: by how they are written, and by where they lead."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.errors import BadCallback
from identity.webhooks.callback_urls import LONGEST, Callback, read_callback


@pytest.mark.parametrize(
    ("url", "callback"),
    [
        ("https://example.org", Callback("example.org", 443, "/")),
        ("https://Example.ORG/", Callback("example.org", 443, "/")),
        ("HTTPS://hooks.example.org:8443/a/b?c=d&e=%20", Callback("hooks.example.org", 8443, "/a/b?c=d&e=%20")),
        ("https://example.org:443?x", Callback("example.org", 443, "/?x")),
        ("https://bücher.example/@x", Callback("xn--bcher-kva.example", 443, "/@x")),
        ("https://xn--bcher-kva.example/", Callback("xn--bcher-kva.example", 443, "/")),
        ("https://例え\u3002テスト/", Callback("xn--r8jz45g.xn--zckzah", 443, "/")),
        ("https://1.2.3.4.example.org/", Callback("1.2.3.4.example.org", 443, "/")),
    ],
)
def test_a_callback_url_is_read_into_host_port_and_target(url: str, callback: Callback) -> None:
    """An https address with a host name is read into the parts that are called."""
    assert read_callback(url) == callback


@pytest.mark.parametrize(
    "url",
    [
        # attack 84
        "http://169.254.169.254/", "http://[::ffff:127.0.0.1]", "https://2130706433/", "https://user@host",
        "gopher://example.org/", "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "//example.org/",
        # addresses in numbers, in every spelling
        "https://127.0.0.1/", "https://127.1/", "https://0x7f.0.0.1/", "https://0x7f000001/", "https://0177.0.0.1/",
        "https://8.8.8.8/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/",
        "https://[2001:4860:4860::8888]/", "https://１２７.0.0.1/", "https://127。0。0。1/", "https://①②⑦.0.0.1/",  # noqa: RUF001
        "https://example.0x1/", "https://example.1/", "https://0/", "https://[fe80::1%25lo]/",
        # what is read differently by different readers
        "https://user:pass@example.org/", "https://@example.org/", "https://example.org@10.0.0.1/",
        "https://example.org\\@10.0.0.1/", "https://example.org#@10.0.0.1/", "https://example.org/#x",
        "https://exa mple.org/", "https://example.org /", " https://example.org/", "https://example.org/\n",
        "https://exam\tple.org/", "https://exam\nple.org/", "https://example.org/a b", "https://example.org/ü",
        "https://example.org/\r\nx: y", "https://example.org/\0", "https://example.org:443:443/", "https:/example.org",
        "https:example.org", "https://", "https:///path", "https://?x", "https://:443/", "https://example.org:/",
        "https://%6cocalhost.org/", "https://example.org%00.org/", "https://\ud800.org/",
        # names that are none, or only ours
        "https://localhost/", "https://metadata/", "https://example.org./", "https://.example.org/", "https://a..org/",
        "https://-a.org/", "https://a_b.org/", "https://*.org/", "https://" + "a" * 64 + ".org/",
        "https://" + "a." * 126 + "org/", "https://xn--a.org/",
        # ports
        "https://example.org:22/", "https://example.org:80/", "https://example.org:0/", "https://example.org:99999/",
        "https://example.org:-1/", "https://example.org:443443/", "https://example.org:٤٤٣/",
        # not an address
        "", "x", "https://example.org/" + "a" * LONGEST, None, 1, b"https://example.org/", ["https://example.org/"],
    ],
    ids=repr,
)  # fmt: skip
def test_a_url_that_is_no_https_callback_is_refused(url: object) -> None:
    """Anything else is refused."""
    with pytest.raises(BadCallback):
        read_callback(url)


@given(st.text(max_size=60), st.booleans())
def test_any_text_is_read_or_refused_and_never_fails_otherwise(text: str, whole: bool) -> None:  # noqa: FBT001
    """Whatever is written, it is refused or has a host name in plain ASCII that nothing can hide in."""
    try:
        callback = read_callback(text if whole else f"https://{text}")
    except BadCallback:
        return
    assert set(callback.host) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert "." in callback.host
    assert callback.target.startswith("/")
    with pytest.raises(ValueError, match="does not appear"):
        ip_address(callback.host)
