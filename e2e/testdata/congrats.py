# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""Welcomes who signed in with a provider, and says what Panel knows of them."""

import json
from html import escape

import panel as pn

pn.extension()

known = {
    "user": pn.state.user,
    "user_info": pn.state.user_info,
    "access_token": pn.state.access_token,
    "refresh_token": pn.state.refresh_token,
}

log_out = pn.widgets.Button(name="Log out")
log_out.js_on_click(code="window.location.href = './logout'")

said = pn.widgets.TextInput(name="Say something")


def answer(text):
    return f"Python heard: {escape(text)}" if text else "Python is listening."


pn.Column(
    f"Congrats `{pn.state.user}`. You got access!",
    pn.pane.Str(json.dumps(known)),
    said,
    pn.bind(answer, said),
    log_out,
).servable()
