# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""For `panel serve --setup`: guests who ask for /admin have to log in."""

import panel as pn


def authorize(user_info, path):
    if path == "/admin" and user_info["user"] == "guest":
        return "/login"
    return True


pn.config.authorize_callback = authorize
