// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package tornado

import (
	"crypto/rand"
	"encoding/base64"
)

// NewSecret returns a new cookie secret, as "panel secret" does: 260 random
// bits in letters and digits alone, which no shell, file format or flag parser
// (a leading dash) can misread.
func NewSecret() string {
	return rand.Text() + rand.Text()
}

// NewFernetKey returns a new encryption key, as "panel oauth-secret" does: 44
// characters.
func NewFernetKey() string {
	var key [fernetKeySize]byte
	rand.Read(key[:])
	return base64.URLEncoding.EncodeToString(key[:])
}
