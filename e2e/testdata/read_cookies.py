# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""Reads a Cookie header as Tornado does, and prints what its signed cookies say.

Standard input is JSON: the header, the secret, and the names.
"""

import json
import sys

from tornado.httputil import parse_cookie
from tornado.web import decode_signed_value

asked = json.load(sys.stdin)
cookies = parse_cookie(asked["header"])
values = {}
for name in asked["names"]:
    value = decode_signed_value(asked["secret"], name, cookies.get(name), max_age_days=1)
    values[name] = None if value is None else value.decode()
json.dump(values, sys.stdout)
