// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/templates"
)

// maxHeld bounds how much of a page is held back until it is known where the
// session notice goes.
const maxHeld = 16 << 10

// noticed is the answer to a request, with the session notice in it if it is a
// page. The caller has to finish it.
func (h *Handler) noticed(w http.ResponseWriter, r *http.Request, s *session.Session) *noticeWriter {
	if !h.SessionNotice || r.Method != http.MethodGet || !wantsPage(r) || r.Header.Get("Range") != "" || s.IsPassing() {
		return nil
	}
	r.Header.Set("Accept-Encoding", "identity")          // nothing can be put into what is compressed
	languages, login := acceptLanguage(r), h.loginURL(r) // which the handlers behind may rewrite
	return &noticeWriter{ResponseWriter: w, element: func() []byte {
		var left time.Duration
		if !s.Expires.Equal(session.Never) {
			left = s.Expires.Sub(h.now())
		}
		return templates.SessionNotice(languages, login, left)
	}}
}

// noticeWriter puts the session notice into a page that passes. It holds the
// page back only until the place for it has come by.
type noticeWriter struct {
	http.ResponseWriter
	element func() []byte
	begun   bool
	holding bool
	held    []byte
}

// WriteHeader decides whether the answer is a page to put something into.
func (n *noticeWriter) WriteHeader(status int) {
	if status < http.StatusOK && status != http.StatusSwitchingProtocols {
		n.ResponseWriter.WriteHeader(status) // more is to come
		return
	}
	if !n.begun {
		n.begun = true
		if header := n.Header(); status == http.StatusOK && takesNotice(header) && letNoticeIn(header) {
			n.holding = true
			becomeAnother(header)
		}
	}
	n.ResponseWriter.WriteHeader(status)
}

// takesNotice reports whether an answer is a page that can be read as it passes.
func takesNotice(header http.Header) bool {
	if header.Get("Content-Encoding") != "" || header.Get("Content-Range") != "" || header.Get("Trailer") != "" {
		return false
	}
	if strings.Contains(strings.ToLower(header.Get("Cache-Control")), "no-transform") ||
		strings.HasPrefix(strings.ToLower(header.Get("Content-Disposition")), "attachment") {
		return false
	}
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	return err == nil && media == "text/html" && likeASCII(params["charset"])
}

// likeASCII reports whether a charset writes markup as ASCII does.
func likeASCII(charset string) bool {
	charset = strings.ToLower(charset)
	return slices.Contains([]string{"", "utf-8", "utf8", "us-ascii"}, charset) ||
		strings.HasPrefix(charset, "iso-8859-") || strings.HasPrefix(charset, "windows-125")
}

// becomeAnother takes back what was said of the page's bytes.
func becomeAnother(header http.Header) {
	for _, name := range []string{"Content-Length", "Accept-Ranges", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest"} {
		header.Del(name)
	}
	if tag := header.Get("Etag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		header.Set("Etag", "W/"+tag)
	}
}

// Write passes the page on.
func (n *noticeWriter) Write(p []byte) (int, error) {
	if !n.begun {
		n.WriteHeader(http.StatusOK)
	}
	if !n.holding {
		return n.ResponseWriter.Write(p)
	}
	n.held = append(n.held, p[:min(len(p), maxHeld)]...)
	rest := p[min(len(p), maxHeld):]
	place, known := placeForNotice(n.held)
	if !known && len(n.held) < maxHeld {
		return len(p), nil
	}
	if !known {
		place = nowhere
	}
	if err := n.release(place); err != nil {
		return 0, err
	}
	if len(rest) > 0 {
		if _, err := n.ResponseWriter.Write(rest); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// release writes what was held back, with the notice at its place.
func (n *noticeWriter) release(place int) error {
	held := n.held
	n.holding, n.held = false, nil
	if place != nowhere {
		held = slices.Concat(held[:place], n.element(), held[place:])
	}
	if len(held) == 0 {
		return nil
	}
	_, err := n.ResponseWriter.Write(held)
	return err
}

// finish writes what is still held back of an answer that is whole.
func (n *noticeWriter) finish() error {
	if !n.holding {
		return nil
	}
	place := nowhere
	if len(n.held) > 0 && !isUTF16(n.held) {
		place = len(n.held)
	}
	return n.release(place)
}

// FlushError implements what http.ResponseController looks for. What is held
// back shows nothing yet, and stays.
func (n *noticeWriter) FlushError() error {
	if !n.begun {
		n.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(n.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController through to what can do more.
func (n *noticeWriter) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// Interface guard
var _ http.ResponseWriter = (*noticeWriter)(nil)
