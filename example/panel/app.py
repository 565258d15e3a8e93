# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""A page that knows who looks at it. It is open to guests."""

from html import escape

import panel as pn

pn.extension()

log_in = pn.widgets.Button(name="Log in", button_type="primary")
log_in.js_on_click(code='window.location.href = "/login"')

log_out = pn.widgets.Button(name="Log out")
log_out.js_on_click(code="window.location.href = './logout'")

said = pn.widgets.TextInput(name="Say something", placeholder="and press Enter")


def answer(text):
    """Runs on the server, so it shows that the websocket is open."""
    return f"Python heard: {escape(text)}" if text else "Python is listening."


pn.Column(
    f"# Hello {escape(pn.state.user or 'stranger')}",
    "This is what `pn.state.user_info` holds:",
    pn.pane.JSON(pn.state.user_info, depth=-1),
    said,
    pn.bind(answer, said),
    log_in if pn.state.user == "guest" else log_out,
    margin=40,
).servable(title="Hello")
