# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""A page for people who are signed in."""

from html import escape

import panel as pn

pn.extension()

log_out = pn.widgets.Button(name="Log out")
log_out.js_on_click(code="window.location.href = './logout'")

pn.Column(
    "# Administration",
    f"Only people who are signed in get here, and you are {escape(pn.state.user or 'a stranger')}.",
    log_out,
    margin=40,
).servable(title="Administration")
