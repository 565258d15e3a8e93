// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// question is a request about which rules are asked.
type question struct {
	r      *http.Request
	who    *identity
	asked  wantedPath
	folded wantedPath // in lower case
	clear  bool       // everybody reads the same path
	// library says that the path is one of the files that all pages load. Who
	// may open some page may have them.
	library bool
	// lending is set while a rule that allows pages is asked about a file of
	// the library.
	lending bool
}

func newQuestion(r *http.Request, who *identity) question {
	q := question{r: r, who: who, clear: isClear(r), asked: newWantedPath(r.URL.Path)}
	q.folded = q.asked
	if lower := strings.ToLower(r.URL.Path); lower != r.URL.Path {
		q.folded = newWantedPath(lower)
	}
	q.clear = q.clear && !q.asked.crowded && !q.folded.crowded
	q.library = q.clear && isLibrary(r.URL.Path)
	return q
}

func (q *question) replacer() *caddy.Replacer {
	repl, _ := q.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	return repl
}
