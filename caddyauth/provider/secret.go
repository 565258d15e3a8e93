// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import "encoding"

// Secret is a value that never shows itself: however it is printed, logged or
// encoded, a placeholder comes out. Convert it to a string to use it.
type Secret string

const redacted = "[REDACTED]"

// String hides the secret from fmt and from loggers.
func (Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return redacted }

// MarshalText hides the secret from JSON and everything else that encodes.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Interface guard
var _ encoding.TextMarshaler = Secret("")
