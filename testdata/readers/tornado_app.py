# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""A Tornado that answers every request with what it reads in it.

It prints its port. The argument is the cookie secret.
"""

import asyncio
import base64
import sys

from tornado.escape import json_encode, url_unescape
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.wsgi import WSGIContainer


class Echo(RequestHandler):
    def get(self):
        request = self.request
        environ = WSGIContainer(None).environ(request)
        user = self.get_signed_cookie("user")
        self.finish(json_encode({
            # What Bokeh routes by, what handlers are given of it, and what
            # applications of the WSGI kind get.
            "paths": [request.path, url_unescape(request.path, encoding=None, plus=False).decode("latin-1"), environ["PATH_INFO"]],
            "cookies": {name: morsel.value for name, morsel in request.cookies.items()},
            "headers": list(request.headers.get_all()),
            "environ": [[name, value] for name, value in environ.items() if name.startswith("HTTP_")],
            "user": user.decode() if user else "",
        }))

    # Applications answer a method that they do not know in their own ways.
    post = put = delete = options = head = patch = get

    def log_exception(self, *_):
        pass


class Signed(RequestHandler):
    """Says what a signed cookie holds, and signs the same value in turn."""

    def get(self):
        read = self.get_signed_cookie("user", self.request.headers["Signed"])
        value = base64.b64decode(self.request.headers["Value"])
        self.finish({
            "read": None if read is None else base64.b64encode(read).decode(),
            "signed": self.create_signed_value("user", value).decode(),
        })


async def main():
    app = Application([("/differential/signed", Signed), (".*", Echo)], cookie_secret=sys.argv[1], log_function=lambda _: None)
    server = HTTPServer(app, max_header_size=1 << 20)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
