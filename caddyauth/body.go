// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"time"
)

// bodyPatience is how long the body of a request may take to arrive that this
// module reads, or answers without reading it: the server then reads what is left
// before it sends the answer. Caddy itself waits for ever, unless it is told
// otherwise.
const bodyPatience = 20 * time.Second

// hurry gives what is left of a request so long to arrive. A server that is less
// patient stays so.
func hurry(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if ok && server.ReadTimeout > 0 && server.ReadTimeout <= bodyPatience {
		return
	}
	// What does not come over a network has no deadline, and needs none.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyPatience))
}

// arrived takes back the hurry for a request that has arrived as a whole: the
// deadline would end it while its password is hashed.
func arrived(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
}

// Bounds on a form, far above what a browser sends.
const (
	maxForm       = 64 << 10
	maxFormFields = 64
)

// readForm reads a form within bounds. The status is 0, or why it is refused.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, int) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, http.StatusUnsupportedMediaType
	}
	hurry(w, r)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return nil, http.StatusRequestEntityTooLarge
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, http.StatusRequestTimeout
		}
		return nil, http.StatusBadRequest
	}
	arrived(w)
	if bytes.Count(body, []byte("&")) >= maxFormFields {
		return nil, http.StatusBadRequest
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, http.StatusBadRequest
	}
	return form, 0
}
