# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""A Uvicorn that answers every request with what it reads in it.

It prints its port. The argument is which of its parsers reads HTTP.
"""

import json
import re
import socket
import sys
from http.cookies import _unquote

import uvicorn


def cookies_of(header):
    """The cookies of a header as Starlette and FastAPI read them."""
    cookies = {}
    for chunk in header.split(";"):
        name, found, value = chunk.partition("=")
        if not found:
            name, value = "", chunk
        name, value = name.strip(), value.strip()
        if name or value:
            cookies[name] = _unquote(value)
    return cookies


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    cookies = {}
    for name, value in headers:
        if name == "cookie":
            cookies.update(cookies_of(value))
    body = json.dumps({
        "paths": [scope["path"], scope["raw_path"].decode("latin-1")],
        "cookies": cookies,
        "headers": headers,
        # As uvicorn.middleware.wsgi names them.
        "environ": [["HTTP_" + re.sub("-", "_", name).upper(), value] for name, value in headers],
    }).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
config = uvicorn.Config(app, http=sys.argv[1], ws="none", lifespan="off", log_level="critical", access_log=False,
                        h11_max_incomplete_event_size=1 << 20)
uvicorn.Server(config).run([listening])
