// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package attack has tests alone. They run Caddy with this module in it and
// attack it from outside, byte by byte where that matters, as somebody would who
// has no session or wants another's.
//
// testdata/attacks.json is the corpus: what to send, to which profile (see
// profiles), and who judges what comes of it. A judge looks at the answer and at
// what reached the application. A case that takes more than one request is a
// scene, and one that cannot be played here is in the table elsewhere with the
// reason. The files named after systems (caddysecurity_test.go and so on) have a
// test for each published failure that this module guards against, and the table
// notOurs the ones that it cannot have.
package attack
