// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import "strings"

// maxChunk leaves a cookie room for its name: browsers take 4096 bytes for
// both. What Begin returns is never more than four chunks.
const maxChunk = 3800

// Split cuts a cookie value into chunks that browsers take, in their order.
func Split(value string) []string {
	var chunks []string
	for len(value) > maxChunk {
		chunks = append(chunks, value[:maxChunk])
		value = value[maxChunk:]
	}
	return append(chunks, value)
}

// Join is the inverse of Split.
func Join(chunks []string) string {
	return strings.Join(chunks, "")
}
