# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""Sends user A to the page a and user B to the page b."""

import argparse

import panel as pn

options = argparse.ArgumentParser()
options.add_argument("--address")
options.add_argument("--port", type=int)
options.add_argument("--cookie-secret")
options = options.parse_args()


def authorize(user_info, path):
    if path != "/":
        return True
    return {"A": "/a", "B": "/b"}.get(user_info["user"], False)


pn.config.authorize_callback = authorize
pn.serve(
    {
        "a": lambda: pn.pane.Markdown("This is page A."),
        "b": lambda: pn.pane.Markdown("This is page B."),
        "/": lambda: pn.pane.Markdown("This is the index."),
    },
    address=options.address,
    port=options.port,
    cookie_secret=options.cookie_secret,
    show=False,
)
