# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""For `panel serve --setup`: token cookies are encrypted with the key in KEY."""

import os

from cryptography.fernet import Fernet

import panel as pn

pn.state.encryption = Fernet(os.environ["KEY"])
