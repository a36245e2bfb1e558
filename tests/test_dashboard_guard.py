"""Who gets into the dashboard: hosts, origins, tokens and cookies, against the guard alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.server import Guard, _careful_cookie, settings

HOSTS = frozenset({"127.0.0.1:8000", "localhost:8000"})
GOOD = "127.0.0.1:8000"


async def _within(scope, receive, send):
    """What the guard lets through to."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    headers = [(b"content-type", b"text/html"), (b"set-cookie", b"solara-session-id=1; Path=/; SameSite=none; Secure")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"<html><script>1</script></html>"})


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    (tmp_path / "there.js").write_text("1")
    return Guard(_within, 8000, "the-token", ("", "watch", "why"), tmp_path, HOSTS)


def _driven(coroutine) -> None:
    """Runs what never waits, without an event loop: one may be running already."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


def ask(guard, path="/", query="", kind="http", **headers):
    """Status (403 also for a refused WebSocket), headers, body of a request. headers: `_` for `-`."""
    sent: list[dict] = []
    scope = {
        "type": kind, "method": "GET", "path": path, "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    _driven(guard(scope, receive, send))
    if kind == "websocket":
        return {"websocket.accept": 200, "websocket.close": 403}[sent[0]["type"]], {}, b""
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(part.get("body", b"") for part in sent[1:])


def cookie(guard) -> str:
    return f"{guard.cookie}={guard.secret}"


def test_the_token_is_exchanged_for_a_cookie_and_leaves_the_address(guard: Guard):
    status, headers, _ = ask(guard, "/why", "run=a%26b&token=the-token&turn=3", host=GOOD)
    assert (status, headers["location"]) == (303, "/why?run=a%26b&turn=3")
    kept = headers["set-cookie"]
    assert "HttpOnly" in kept
    assert "SameSite=Strict" in kept
    assert "the-token" not in kept
    assert ask(guard, "/why", host=GOOD, cookie=kept.split(";")[0])[0] == 200


def test_a_token_leads_to_no_other_site(guard: Guard):
    places = {"//example.org/": "/example.org/", "/\\example.org": "/%5Cexample.org", "/\t/x": "/%09/x",
              "/watch\r\nX: 1": "/watch%0D%0AX%3A%201", "/é": "/%C3%A9"}  # fmt: skip
    for path, place in places.items():
        assert ask(guard, path, "token=the-token", host=GOOD)[1]["location"] == place


@pytest.mark.parametrize(
    "query", ["", "token=", "token=wrong", "token=the-token%00", "token=the-toke", "TOKEN=the-token"]
)
def test_without_the_token_nobody_gets_in(guard: Guard, query: str):
    status, headers, body = ask(guard, "/", query, host=GOOD)
    assert status == 403
    assert "set-cookie" not in headers
    assert b"tightrope dashboard" in body


@pytest.mark.parametrize("held", ["", "tightrope-8000=", "tightrope-8000=the-token", "tightrope-8001={}", "x={}", "="])
def test_another_cookie_is_no_cookie(guard: Guard, held: str):
    assert ask(guard, host=GOOD, cookie=held.format(guard.secret))[0] == 403
    assert ask(guard, "/jupyter/x", kind="websocket", host=GOOD, origin=f"http://{GOOD}",
               cookie=held.format(guard.secret))[0] == 403  # fmt: skip


def test_cookies_of_other_servers_of_the_machine_do_not_keep_it_out(guard: Guard):
    held = cookie(guard)
    for others in (
        'seen={"a":1,"b":[1,2]}',
        "tightrope-8001=x",
        "tightrope-8000=of-an-earlier-start",
        "a b=c",
        ";;",
        "é",
    ):
        assert ask(guard, "/watch", host=GOOD, cookie=f"{others}; {held}")[0] == 200
        assert ask(guard, "/watch", host=GOOD, cookie=f"{held};{others}")[0] == 200
        assert ask(guard, "/watch", host=GOOD, cookie=others)[0] == 403


def test_a_link_on_another_site_offers_the_way_in_to_whom_the_browser_knows(guard: Guard):
    followed = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    status, headers, body = ask(guard, "/why", "run=a<b>", host=GOOD, **followed)
    assert status == 403
    assert b"<a href=''>" in body  # the address itself, asked from here
    assert b"a<b>" not in body
    assert "set-cookie" not in headers
    assert b"<a" not in ask(guard, "/why", host=GOOD, sec_fetch_site="same-origin", sec_fetch_mode="navigate")[2]


@pytest.mark.parametrize("path", ["/", "/watch", "/static/main.js", "/_solara/api/close/1", "/jupyter/x", "/readyz"])
@pytest.mark.parametrize("host", ["", "example.org", "example.org:8000", "127.0.0.1", "127.0.0.1:8001",
                                  "127.0.0.1.example.org:8000", "localhost", "0.0.0.0:8000", "[::1]:8000",
                                  "localhost.:8000", "127.1:8000", "127.0.0.1:08000", "x@127.0.0.1:8000", "[::1",
                                  "[x]:8000", "127.0.0.1:8000, example.org", "127.0.0.1:8000 "])  # fmt: skip
def test_another_host_is_refused_with_cookie_and_token(guard: Guard, path: str, host: str):
    assert ask(guard, path, "token=the-token", host=host, cookie=cookie(guard))[0] == 403


OTHERS = ("null", "http://example.org", "https://127.0.0.1:8000", "http://127.0.0.1:8001", "http://localhost:8000",
          "http://127.0.0.1:8000.example.org", "file://", "", "http://[::1", "http://[x]", "http://x@127.0.0.1:8000",
          "http://127.0.0.1:8000/x", "http://127.0.0.1:8000 http://example.org")  # fmt: skip


@pytest.mark.parametrize("origin", OTHERS)
def test_another_origin_is_refused_with_the_cookie(guard: Guard, origin: str):
    for kind in ("http", "websocket"):
        assert ask(guard, "/watch", kind=kind, host=GOOD, origin=origin, cookie=cookie(guard))[0] == 403


def test_a_websocket_needs_an_origin_of_ours(guard: Guard):
    assert ask(guard, "/jupyter/x", kind="websocket", host=GOOD, cookie=cookie(guard))[0] == 403
    assert (
        ask(guard, "/jupyter/x", kind="websocket", host=GOOD, origin=f"http://{GOOD}", cookie=cookie(guard))[0] == 200
    )
    there = "localhost:8000"
    assert ask(guard, "/x", kind="websocket", host=there, origin=f"http://{there}", cookie=cookie(guard))[0] == 200


def test_what_another_server_of_this_machine_embeds_is_refused(guard: Guard):
    held = cookie(guard)  # the browser sends it: ports do not part sites
    for site in ("same-site", "cross-site"):
        for mode in ("no-cors", "cors", "websocket"):
            assert ask(guard, "/watch", host=GOOD, cookie=held, sec_fetch_site=site, sec_fetch_mode=mode)[0] == 403
    assert ask(guard, "/watch", host=GOOD, cookie=held, sec_fetch_site="same-origin", sec_fetch_mode="cors")[0] == 200


def test_pages_come_with_a_policy_and_a_nonce(guard: Guard):
    status, headers, body = ask(guard, "/watch", host=GOOD, cookie=cookie(guard))
    policy = headers["content-security-policy"]
    assert status == 200
    assert body.startswith(b'<html><script nonce="')
    assert body.split(b'"')[1].decode() in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-length"] == str(len(body))
    assert headers["cache-control"] == "no-store"
    assert headers["set-cookie"] == "solara-session-id=1; Path=/; HttpOnly; SameSite=Strict"


def test_there_are_only_the_pages_and_the_assets_that_there_are(guard: Guard):
    held = cookie(guard)
    assert ask(guard, "/nowhere", host=GOOD, cookie=held)[0] == 404
    assert ask(guard, "/_solara/cdn/there.js", host=GOOD, cookie=held)[0] == 200
    for path in ("gone.js", "../there.js", "%2e%2e/x", "/etc/passwd", "..", "", "\0", "x" * 5000, "there.js/x"):
        assert ask(guard, f"/_solara/cdn/{path}", host=GOOD, cookie=held)[0] == 404


def test_whatever_comes_twice_is_not_believed(guard: Guard):
    for name, value in (("host", "example.org"), ("origin", "http://example.org")):
        sent: list[dict] = []
        pairs = [(b"host", GOOD.encode()), (b"origin", f"http://{GOOD}".encode()), (b"cookie", cookie(guard).encode())]
        scope = {"type": "http", "method": "GET", "path": "/watch", "query_string": b"",
                 "headers": [*pairs, (name.encode(), value.encode())]}  # fmt: skip

        async def send(message, sent=sent):
            sent.append(message)

        _driven(guard(scope, None, send))
        assert sent[0]["status"] == 403


def test_an_open_address_answers_literal_addresses_and_its_own_name_only(tmp_path: Path):
    guard = Guard(_within, 8000, "the-token", ("",), tmp_path, None)
    hosts = {"192.168.1.5:8000": 200, "[::1]:8000": 200, "localhost:8000": 200, "example.org:8000": 403,
             "192.168.1.5": 403, "192.168.1.5:x": 403, "": 403, "[::1": 403, "[x]:8000": 403}  # fmt: skip
    assert {host: ask(guard, host=host, cookie=cookie(guard))[0] for host in hosts} == hosts


def test_a_cookie_loses_what_made_it_lax():
    assert _careful_cookie(b"a=b; Secure; SameSite=Lax; Path=/") == b"a=b; Path=/; HttpOnly; SameSite=Strict"


def test_solara_is_told_to_stay_at_home():
    told = settings("/home")
    assert told["SOLARA_TELEMETRY_MIXPANEL_ENABLE"] == "False"
    assert told["SOLARA_MODE"] == "production"
    assert told["SOLARA_ASSETS_CDN"].startswith("http://127.0.0.1:9")
