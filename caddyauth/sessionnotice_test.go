// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/panelauth/caddy-panelauth/templates"
)

func withSessionNotice(h *Handler) { h.SessionNotice = true }

const (
	noticePage = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An app</title><script>start()</script></head><body>Hello</body></html>`
	noticeMark = `<script data-login="/login" data-left="`
)

// answersWith is an application with this answer, written in these pieces.
func answersWith(header http.Header, status int, pieces ...string) caddyhttp.Handler {
	return caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		for _, piece := range pieces {
			if piece == "" {
				continue
			}
			if _, err := w.Write([]byte(piece)); err != nil {
				return err
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return err
			}
		}
		return nil
	})
}

// serveTo passes a request of somebody who is signed in on to an application.
func (s *site) serveTo(app caddyhttp.Handler, r *http.Request) answer {
	s.t.Helper()
	w := newRecorder()
	if err := s.ServeHTTP(w, prepared(r), app); err != nil {
		s.t.Fatal(err)
	}
	return answer{t: s.t, Response: w.Result(), text: w.Body.String()}
}

func htmlHeader(more ...string) http.Header {
	header := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	for i := 0; i < len(more); i += 2 {
		header.Add(more[i], more[i+1])
	}
	return header
}

// TestSessionNotice: a page gets the script, once, and nothing else changes,
// however the page comes.
func TestSessionNotice(t *testing.T) {
	s := newSite(t, withSessionNotice)
	line := s.signInAlice()
	var bytewise []string
	for _, b := range []byte(noticePage) {
		bytewise = append(bytewise, string([]byte{b}))
	}
	half := len(noticePage) / 2
	for name, pieces := range map[string][]string{
		"at once": {noticePage}, "in two": {noticePage[:half], noticePage[half:]}, "byte by byte": bytewise,
		"with much behind it": {noticePage + strings.Repeat("<p>more</p>", 10_000)},
	} {
		t.Run(name, func(t *testing.T) {
			app := answersWith(htmlHeader("Content-Length", fmt.Sprint(len(noticePage)), "ETag", `"v1"`, "X-Other", "stays"), 200, pieces...)
			a := s.in(t).serveTo(app, get("/app", browser, cookieLine(line), header("Accept-Language", "de")))
			before, after, found := strings.Cut(a.text, noticeMark)
			if !found || !strings.HasSuffix(before, "</title>") || strings.Count(a.text, noticeMark) != 1 {
				t.Fatalf("the notice is not before the first script: %.300s", a.text)
			}
			_, after, _ = strings.Cut(after, "</script>")
			if before+after != strings.Join(pieces, "") {
				t.Error("the page itself has changed")
			}
			a.wantHeader("Content-Length", "")
			a.wantHeader("Etag", `W/"v1"`)
			a.wantHeader("X-Other", "stays")
			a.wantBody(`data-lang="de"`, "Melden Sie sich wieder an", `data-left="86`)
		})
	}
}

// TestSessionNoticeLeavesOthersAlone: what is no whole page for a person passes
// as it is, to the byte.
func TestSessionNoticeLeavesOthersAlone(t *testing.T) {
	s := newSite(t, withSessionNotice, optional)
	line := cookieLine(s.signInAlice())
	page := get("/app", browser, line)
	tests := map[string]struct {
		request *http.Request
		status  int
		header  http.Header
		text    string
	}{
		"a guest":        {get("/app", browser), 200, htmlHeader(), noticePage},
		"a script":       {get("/app", line, header("Sec-Fetch-Mode", "cors")), 200, htmlHeader(), noticePage},
		"a form":         {post("/app", nil, browser, line), 200, htmlHeader(), noticePage},
		"a range asked":  {get("/app", browser, line, header("Range", "bytes=0-9")), 206, htmlHeader("Content-Range", "bytes 0-9/50"), noticePage[:10]},
		"a range":        {page, 200, htmlHeader("Content-Range", "bytes 0-9/50"), noticePage[:10]},
		"HEAD":           {request("HEAD", "/app", browser, line), 200, htmlHeader("Content-Length", "50", "Etag", `"v1"`), ""},
		"not modified":   {page, 304, http.Header{"Etag": {`"v1"`}}, ""},
		"an error":       {page, 500, htmlHeader(), noticePage},
		"compressed":     {page, 200, htmlHeader("Content-Encoding", "gzip"), "\x1f\x8b<head>"},
		"JSON":           {page, 200, http.Header{"Content-Type": {"application/json"}}, `{"a":"<head>"}`},
		"no type":        {page, 200, http.Header{"Content-Type": nil}, noticePage},
		"XHTML":          {page, 200, http.Header{"Content-Type": {"application/xhtml+xml"}}, noticePage},
		"a download":     {page, 200, htmlHeader("Content-Disposition", "attachment"), noticePage},
		"no-transform":   {page, 200, htmlHeader("Cache-Control", "no-transform"), noticePage},
		"UTF-16":         {page, 200, http.Header{"Content-Type": {"text/html; charset=utf-16le"}}, "<\x00h\x00e\x00a\x00d\x00>\x00"},
		"UTF-16 by mark": {page, 200, http.Header{"Content-Type": {"text/html"}}, "\xff\xfe<\x00h\x00e\x00a\x00d\x00>\x00"},
		"its own policy": {page, 200, htmlHeader(), `<head><meta http-equiv="Content-Security-Policy" content="x"><script>`},
		"sandboxed":      {page, 200, htmlHeader("Content-Security-Policy", "sandbox allow-forms"), noticePage},
		"a long comment": {page, 200, htmlHeader(), "<!--" + strings.Repeat("x", maxHeld+1) + "--><head>"},
		"nothing":        {page, 200, htmlHeader(), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := test.request.Clone(test.request.Context())
			a := s.in(t).serveTo(answersWith(test.header, test.status, test.text), r)
			if a.text != test.text {
				t.Errorf("the answer is %.200q", a.text)
			}
			for _, name := range []string{"Content-Length", "Etag", "Content-Security-Policy"} {
				if name == "Content-Length" && test.status == 200 && test.request.Method == "GET" {
					continue
				}
				a.wantHeader(name, test.header.Get(name))
			}
		})
	}
	off := newSite(t)
	a := off.serveTo(answersWith(htmlHeader("Content-Length", "9"), 200, noticePage), get("/app", browser, cookieLine(off.signInAlice())))
	if a.text != noticePage || a.Header.Get("Content-Length") != "9" {
		t.Error("something is put into pages though nobody asked for it")
	}
}

func TestPlaceForNotice(t *testing.T) {
	const long = "<meta name=x>"
	for page, want := range map[string]string{ // what stands before the notice; "-": nowhere; "?": not known yet
		"<head><script>":     "<head>",
		"<HTML><HEAD><LINK>": "<HTML><HEAD>",
		"\ufeff<!doctype html><head>" + long + "<title>a<b</title><style>": "\ufeff<!doctype html><head>" + long + "<title>a<b</title>",
		"<!doctype html><p>Hello":       "<!doctype html>",
		"Hello <b>":                     "",
		"<!-- <head><script> --><body>": "<!-- <head><script> -->",
		"<head></head><body>":           "<head>",
		"<head>":                        "?",
		"<head><scr":                    "?",
		"<head><title>a":                "?",
		"<head><!-- <script>":           "?",
		"":                              "?",
		" \n":                           "?",
		"<head><meta http-equiv='content-security-policy' content=x><script>": "-",
		"\xfe\xff\x00<": "-",
	} {
		t.Run(page, func(t *testing.T) {
			got := "?"
			if place, known := placeForNotice([]byte(page)); known && place == nowhere {
				got = "-"
			} else if known {
				got = page[:place]
			}
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestNoticeAndPolicies(t *testing.T) {
	hash := templates.NoticeSource
	for policy, want := range map[string]string{
		"":                                      "",
		"img-src 'self'":                        "img-src 'self'",
		"default-src 'self'":                    "default-src 'self' " + hash,
		"default-src 'none'; img-src a":         "default-src " + hash + "; img-src a",
		"default-src 'self'; script-src b":      "default-src 'self'; script-src b " + hash,
		"SCRIPT-SRC 'none'":                     "SCRIPT-SRC " + hash,
		"script-src a; script-src-elem b":       "script-src a; script-src-elem b " + hash,
		"script-src 'unsafe-inline'":            "script-src 'unsafe-inline'",
		"script-src 'unsafe-inline' 'nonce-x'":  "script-src 'unsafe-inline' 'nonce-x' " + hash,
		"script-src 'nonce-x' 'strict-dynamic'": "script-src 'nonce-x' 'strict-dynamic' " + hash,
		"script-src " + hash:                    "script-src " + hash,
		"script-src a, default-src 'self'":      "script-src a " + hash + ", default-src 'self' " + hash,
		"sandbox allow-scripts; script-src":     "sandbox allow-scripts; script-src " + hash,
		"sandbox":                               "no",
	} {
		t.Run(policy, func(t *testing.T) {
			header := http.Header{"Content-Security-Policy": {policy}, "X": {"y"}}
			ok := letNoticeIn(header)
			if got := header.Get("Content-Security-Policy"); ok != (want != "no") || ok && got != want {
				t.Errorf("%q (%v), want %q", got, ok, want)
			}
		})
	}
}

func FuzzPlaceForNotice(f *testing.F) {
	f.Add([]byte(noticePage))
	f.Add([]byte("<head><!-- <script>"))
	f.Fuzz(func(t *testing.T, page []byte) {
		if place, known := placeForNotice(page); known && (place > len(page) || place < nowhere) {
			t.Errorf("place %d of %d", place, len(page))
		}
	})
}
