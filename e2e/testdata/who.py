# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""Says what Panel knows of the visitor, as JSON."""

import json

import panel as pn

known = {
    "user": pn.state.user,
    "user_info": pn.state.user_info,
    "access_token": pn.state.access_token,
}
pn.pane.Str(json.dumps(known, ensure_ascii=False)).servable()
