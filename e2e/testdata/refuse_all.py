# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""Refuses everybody, and prints who was asked about and whether the page ran."""

import argparse

import panel as pn

options = argparse.ArgumentParser()
options.add_argument("--address")
options.add_argument("--port", type=int)
options.add_argument("--cookie-secret")
options = options.parse_args()


def authorize(user_info):
    print("authorize was asked about", user_info["user"], flush=True)
    return False


def page():
    print("the page was executed", flush=True)
    return pn.pane.Markdown("This is the page.")


pn.config.authorize_callback = authorize
pn.serve(
    page,
    address=options.address,
    port=options.port,
    cookie_secret=options.cookie_secret,
    show=False,
)
