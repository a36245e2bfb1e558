"""Who gets in, and what a browser may do with what it gets: our own ASGI application around Solara's.

Solara checks neither Origin nor Host, so that any web page its user visits could drive it. `Guard` lets through what
names this server, comes from its own pages, and holds the cookie for which the token of the printed URL was exchanged.
Solara reads its settings from the environment when it is imported; `serve` sets them and then imports it.
"""

from __future__ import annotations

import atexit
import ipaddress
import logging
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from sim.errors import BadInput, UserError

LOOPBACK = "127.0.0.1"
PORT = 8765  # the usual one; where it is taken, any other
LONGEST = 256 * 2**10  # bytes of an address with its headers: a run may have hundreds of numbers of its own
ASSETS = "/_solara/cdn/"
OURS = ("/_solara/", "/jupyter/", "/static/", "/readyz")  # what is not the address of a page

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


# ------------------------------------------------------------------------------------------------ who gets in


class Guard:
    """Lets through only what this server's own pages ask, and puts the headers of a careful site on what goes out.

    hosts: the names under which it may be asked, each with its port; None: any literal address with that port, and the
    machine's own names. token: what the printed URL carries. pages: the addresses that there are. assets: the folder
    of what pages load. The cookie holds another secret than the token, and is named after the port, as cookies are
    shared by all servers of a machine.
    """

    def __init__(
        self, app: App, port: int, token: str, pages: Iterable[str], assets: Path, hosts: frozenset[str] | None
    ) -> None:
        self.app, self.port, self.token, self.hosts = app, port, token, hosts
        self.pages, self.assets = frozenset(pages), assets
        self.cookie, self.secret = f"tightrope-{port}", secrets.token_urlsafe(32)
        # Asked once: where no network is, the machine's full name may take seconds.
        self.names = {"localhost", socket.gethostname(), socket.getfqdn()} if hosts is None else set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            refused = self._refused(scope, _headers(scope), spoken=True)
            if refused is None and not self._known(_headers(scope)):
                refused = "no cookie"
            if refused is None:
                await self.app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": refused})
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path = _headers(scope), scope["path"]
        refused = self._refused(scope, headers, spoken=False)
        if refused is not None:
            await _answer(send, 403, f"This address is not answered: {refused}.")
            return
        given = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in given if name == "token"]
        if tokens and scope["method"] == "GET" and not path.startswith(OURS):
            if not any(secrets.compare_digest(value.encode(), self.token.encode()) for value in tokens):
                await _answer(send, 403, WHERE)
                return
            rest = urlencode([pair for pair in given if pair[0] != "token"])
            # One leading slash: two would lead to another site.
            place = "/" + quote(path.lstrip("/")) + (f"?{rest}" if rest else "")
            kept = f"{self.cookie}={self.secret}; Path=/; HttpOnly; SameSite=Strict"
            more = [(b"location", place.encode()), (b"set-cookie", kept.encode())]
            await _answer(send, 303, "The dashboard is at the address without the token.", more)
            return
        if not self._known(headers):
            # A browser keeps the cookie back where a link on another site was followed, not where one of ours is.
            followed = headers.get(b"sec-fetch-site") in ("same-site", "cross-site")
            await _answer(send, 403, WHERE, link=("", "Open it, if this browser has been there") if followed else None)
            return
        if path.startswith(ASSETS) and not self._asset(path):
            await _answer(send, 404, "There is no such file.")  # Solara would ask another site for it
            return
        if not path.startswith(OURS) and path.strip("/") not in self.pages:
            await _answer(
                send, 404, "There is no such page. The dashboard begins at /", link=("/", "Open the dashboard")
            )
            return
        if not path.startswith(OURS):  # a page is read on its way out, so it must not be packed
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]}
        await self.app(scope, receive, self._careful(send))

    def _refused(self, scope: Scope, headers: dict[bytes, str], spoken: bool) -> str | None:
        """Why a request is not from a page of ours; None if it is. spoken: a WebSocket, which always has an Origin."""
        if not self._host(headers.get(b"host", "")):
            return "it is not this server's name"
        origin = headers.get(b"origin")
        if origin is None:
            if spoken:
                return "no origin"
        else:
            if origin != f"http://{headers[b'host']}":
                return "it was asked from another site"
        # A page of another server of this machine counts as the same site, and the browser sends it the cookie.
        site, mode = headers.get(b"sec-fetch-site"), headers.get(b"sec-fetch-mode")
        if site not in (None, "none", "same-origin") and mode != "navigate":
            return "it was asked from another site"
        return None

    def _host(self, host: str) -> bool:
        if self.hosts is not None:
            return host in self.hosts
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        return port == self.port and (_literal(name) or name in self.names)

    def _known(self, headers: dict[bytes, str]) -> bool:
        # Read by hand: what other servers of the machine keep in theirs may be no cookie by the book.
        ours = f"{self.cookie}={self.secret}".encode()
        held = headers.get(b"cookie", "").split(";")
        return any(secrets.compare_digest(one.strip().encode(), ours) for one in held)

    def _asset(self, path: str) -> bool:
        try:
            found = (self.assets / path.removeprefix(ASSETS)).resolve()
            return found.is_relative_to(self.assets.resolve()) and found.is_file()
        except (OSError, ValueError):  # a name that no file can have
            return False

    def _careful(self, send: Send) -> Send:
        """Sends on with the headers of `_headers_out`; in a page, scripts get the nonce that lets them run."""
        nonce = secrets.token_urlsafe(16)
        begun: list[Message] = []
        body = bytearray()

        async def out(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: Headers = list(message.get("headers", ()))
                page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
                dropped = {b"set-cookie", b"content-length", b"content-encoding"} if page else {b"set-cookie"}
                cookies = [(name, _careful_cookie(value)) for name, value in headers if name == b"set-cookie"]
                kept = [(name, value) for name, value in headers if name not in dropped]
                message["headers"] = kept + cookies + _headers_out(nonce)
                if page:
                    message["headers"].append((b"cache-control", b"no-store"))  # its nonce and cookie are of this time
                    begun.append(message)
                else:
                    await send(message)
            elif message["type"] == "http.response.body" and begun:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    text = bytes(body).replace(b"<script", b'<script nonce="' + nonce.encode() + b'"')
                    begun[0]["headers"].append((b"content-length", str(len(text)).encode()))
                    await send(begun[0])
                    await send({"type": "http.response.body", "body": text})
            else:
                await send(message)

        return out


WHERE = (
    "The dashboard opens at the address that `tightrope dashboard` printed when it started, which carries a token; "
    "start it again if that is no longer to be seen."
)


def _literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _headers(scope: Scope) -> dict[bytes, str]:
    """The headers by name; of one that comes twice both, so that neither alone is believed."""
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        text = value.decode("latin-1")
        found[name.lower()] = f"{found[name.lower()]}; {text}" if name.lower() in found else text
    return found


def _careful_cookie(cookie: bytes) -> bytes:
    """Solara's own cookie, which other sites need not send and scripts need not read."""
    parts = [part.strip() for part in cookie.split(b";")]
    kept = [part for part in parts if part.split(b"=")[0].lower() not in (b"samesite", b"httponly", b"secure")]
    return b"; ".join([*kept, b"HttpOnly", b"SameSite=Strict"])


def _headers_out(nonce: str) -> Headers:
    """What a browser may do with our pages. Vue compiles its templates with `Function`, hence 'unsafe-eval'; styles
    are set in place by Vuetify and ECharts."""
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    ]


async def _answer(
    send: Send,
    status: int,
    text: str,
    more: Iterable[tuple[bytes, bytes]] = (),
    link: tuple[str, str] | None = None,
) -> None:
    """A short page of ours, without scripts. link: to which address of ours, and its words."""
    way = "" if link is None else f"<p><a href='{link[0]}'>{link[1]}</a></p>"
    page = f"<!doctype html><html lang='en'><title>Tightrope</title><meta charset='utf-8'><p>{text}</p>{way}</html>"
    body = page.encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *more,
        *_headers_out(secrets.token_urlsafe(16)),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


# ------------------------------------------------------------------------------------------------ serving


def settings(home: str) -> dict[str, str]:
    """What Solara is told through the environment, whatever stands there: no telemetry, no other site, no reloading."""
    return {
        "SOLARA_APP": "dashboards.app",
        "SOLARA_MODE": "production",
        "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
        "SOLARA_HOME": home,
        # Extensions of notebooks that the reader has set up elsewhere are none of ours.
        "JUPYTER_CONFIG_DIR": home,
        "JUPYTER_DATA_DIR": home,
        "IPYTHONDIR": home,
        "SOLARA_SESSION_HTTP_ONLY": "True",
        "SOLARA_THEME_LOADER": "plain",
        "SOLARA_THEME_SHOW_BANNER": "False",
        "SOLARA_THEME_TITLE": "Tightrope",
        "SOLARA_THEME_VARIANT": "light",
        "SOLARA_THEME_FORCE_REFRESH": "True",  # a tab that slept until its state was dropped: its address has the view
        "SOLARA_KERNEL_CULL_TIMEOUT": "2h",
        "SOLARA_ASSETS_CDN": "http://127.0.0.1:9/",
        "SOLARA_ASSETS_FONTAWESOME_ENABLED": "False",
        "SOLARA_ASSETS_EXTRA_LOCATIONS": str(Path(__file__).resolve().parent / "assets"),
        "SOLARA_CHECK_HOOKS": "off",
        "SOLARA_SERVER_SYNC_WS_WRITE": "True",
    }


def _listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens. port None: the usual one, or any where that is taken. Raises BadInput."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in (PORT, 0) if port is None else (port,):
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(128)
            return listener
        except (OSError, OverflowError) as error:
            listener.close()
            why = getattr(error, "strerror", None) or str(error)
    mend = "" if port is None else "; give another --port, or 0 for any that is free"
    raise BadInput(f"cannot listen on {host} port {PORT if port is None else port}: {why}{mend}")


def serve(folder: Path, host: str = LOOPBACK, port: int | None = None, browse: bool = True) -> None:
    """Serve the dashboard of a folder until interrupted; prints its URL first. Raises BadInput."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder}: not a folder")
    if port is not None and not 0 <= port < 2**16:
        raise BadInput(f"--port {port}: must be 0..65535")
    name = LOOPBACK if host == "localhost" else host
    listener = _listen(name, port)
    home = tempfile.mkdtemp(prefix="tightrope-")
    # Registered first it runs last: after IPython, which Solara brings, has closed what it keeps there.
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ.update(settings(home))
    os.environ.pop("HOST", None)  # Solara would take it for its own
    _serve(listener, folder, name, browse)


def _serve(listener: socket.socket, folder: Path, host: str, browse: bool) -> None:
    number = listener.getsockname()[1]
    token = secrets.token_urlsafe(24)
    open_to_all = _literal(host) and ipaddress.ip_address(host).is_unspecified
    spelt = f"[{host}]" if ":" in host else host
    url = f"http://{LOOPBACK if open_to_all else spelt}:{number}/?token={token}"
    # Told at once: who asks before all is read in is answered as soon as it is.
    print(url, flush=True)
    if not _local(host, number):
        print(
            f"Listening on {host}: whoever can reach this machine there and has the address above gets in, can read "
            "and start runs under this folder, and what is sent is not encrypted.",
            file=sys.stderr,
            flush=True,
        )

    import warnings

    import uvicorn

    # About cookies across sites, which are refused, and about the part of uvicorn that can write from any thread.
    warnings.filterwarnings("ignore", module="solara|uvicorn|websockets")
    from solara.server import settings as solara_settings
    from solara.server.starlette import app

    from dashboards import live, state
    from dashboards.app import PAGES

    # Solara's renderer logs what a page raises; what is the reader's to mend is told in the page.
    logging.getLogger("reacton").addFilter(
        lambda record: not (record.exc_info and isinstance(record.exc_info[1], UserError))
    )
    state.open_library(folder)
    live.warm()
    assets = Path(solara_settings.assets.proxy_cache_dir)
    if not (assets / "requirejs@2.3.6").is_dir():
        print(f"{assets}: the files that pages load are missing; install solara-assets", file=sys.stderr, flush=True)
    hosts = None if open_to_all else frozenset({f"{spelt}:{number}"} | _local(host, number))
    guard = Guard(app, number, token, PAGES, assets, hosts)
    screen = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if browse and screen:
        threading.Timer(0.5, webbrowser.open, [url]).start()
    # Messages are neither packed nor handed to another thread: on one machine either takes longer than it saves.
    config = uvicorn.Config(
        guard, log_level="warning", access_log=False, server_header=False, loop="asyncio", timeout_graceful_shutdown=2,
        ws="websockets", ws_max_size=16 * 2**20, ws_per_message_deflate=False,
        h11_max_incomplete_event_size=LONGEST,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])


def _local(host: str, port: int) -> set[str]:
    """The other name of the loopback address."""
    return {f"localhost:{port}"} if _literal(host) and ipaddress.ip_address(host).is_loopback else set()
