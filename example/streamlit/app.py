# SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
# SPDX-License-Identifier: Apache-2.0

"""Greets whoever panelauth says is there."""

from urllib.parse import unquote

import streamlit as st

# What is not ASCII comes percent-encoded.
user = unquote(st.context.headers.get("Remote-User", "stranger"))

st.title("Behind panelauth")
st.text(f"Hello, {user}!")
st.markdown('<a href="/logout" target="_self">Log out</a>', unsafe_allow_html=True)
