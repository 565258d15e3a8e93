// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	wirePage = "<!doctype html><html><head><title>An app</title></head><body><p>Hello</p></body></html>"
	wireMark = "<script data-login="
)

// wireApp answers as applications do: at once, in parts, in ranges, compressed
// for those who take it.
func wireApp(t *testing.T, goOn <-chan struct{}) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "page.html", time.Unix(1e9, 0), strings.NewReader(wirePage))
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			_, _ = io.WriteString(w, wirePage)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, wirePage)
		_ = z.Close()
	})
	mux.HandleFunc("/stream", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<head></head><p>first</p>")
		_ = http.NewResponseController(w).Flush()
		<-goOn
		_, _ = io.WriteString(w, "<p>second</p>")
	})
	mux.HandleFunc("/data", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"html":"<head><script>"}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// TestSessionNoticeOnTheWire: the notice gets into pages and into nothing else,
// with a real proxy behind and real compression before it.
func TestSessionNoticeOnTheWire(t *testing.T) {
	goOn := make(chan struct{})
	app := wireApp(t, goOn)
	site := caddy(t, "route {\nencode {\n\tgzip\n\tminimum_length 1\n}\npanelauth {\n\tbasic_auth my_password\n\tsession_notice\n}\nreverse_proxy "+app+" {\n\tflush_interval -1\n}\n}")
	session := site.signsIn(t, "alice")
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableCompression: true}}
	asks := func(t *testing.T, method, path string, header ...string) *http.Response {
		t.Helper()
		request := navigation(t, site.url+path)
		request.Method = method
		request.AddCookie(session)
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		return response
	}
	for _, path := range []string{"/page", "/gzip"} {
		t.Run("compressed "+path, func(t *testing.T) {
			response := asks(t, http.MethodGet, path, "Accept-Encoding", "gzip")
			if response.Header.Get("Content-Encoding") != "gzip" {
				t.Fatalf("it is encoded as %q", response.Header.Get("Content-Encoding"))
			}
			plain, err := gzip.NewReader(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			hasNotice(t, plain)
		})
	}
	t.Run("plain", func(t *testing.T) { hasNotice(t, asks(t, http.MethodGet, "/page").Body) })
	t.Run("HEAD", func(t *testing.T) {
		response := asks(t, http.MethodHead, "/page")
		if got := whole(t, response); got != "" || response.StatusCode != http.StatusOK {
			t.Errorf("%d: %q", response.StatusCode, got)
		}
	})
	t.Run("a range", func(t *testing.T) {
		response := asks(t, http.MethodGet, "/page", "Range", "bytes=10-29")
		if got := whole(t, response); response.StatusCode != http.StatusPartialContent || got != wirePage[10:30] {
			t.Errorf("%d: %q", response.StatusCode, got)
		}
	})
	t.Run("data", func(t *testing.T) {
		if got := whole(t, asks(t, http.MethodGet, "/data")); got != `{"html":"<head><script>"}` {
			t.Errorf("%q", got)
		}
	})
	t.Run("a stream", func(t *testing.T) {
		response := asks(t, http.MethodGet, "/stream")
		var read bytes.Buffer
		part := make([]byte, 1024)
		for !strings.Contains(read.String(), "first") { // before the rest is written
			n, err := response.Body.Read(part)
			read.Write(part[:n])
			if err != nil {
				t.Fatalf("after %q: %v", read.String(), err)
			}
		}
		close(goOn)
		got := read.String() + whole(t, response)
		if strings.Count(got, wireMark) != 1 || !strings.HasSuffix(got, "<p>first</p><p>second</p>") {
			t.Errorf("%q", got)
		}
	})
}

func whole(t *testing.T, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// hasNotice wants the page with the notice in its head and nothing else changed.
func hasNotice(t *testing.T, body io.Reader) {
	t.Helper()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), wireMark)
	_, after, closed := strings.Cut(after, "</script>")
	if !found || !closed || before+after != wirePage || !strings.HasSuffix(before, "</title>") {
		t.Errorf("the page is %q", text)
	}
}
