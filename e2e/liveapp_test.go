// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
)

// silentApp is an application whose websockets stay open and say nothing.
func silentApp(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			_, _ = io.WriteString(w, "This is not Panel.")
			return
		}
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		_, _ = io.Copy(io.Discard, connection)
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return strings.TrimPrefix(server.URL, "http://")
}

// socket is an open websocket. It learns when and how it is closed.
type socket struct {
	title  string
	closed chan closing
}

type closing struct {
	at   time.Time
	code uint16 // 0: without a close frame
}

// opensSocket opens a websocket with a session.
func (c *caddyServer) opensSocket(t *testing.T, title string, session ...*http.Cookie) *socket {
	t.Helper()
	request := websocket(t, c.url+"/ws")
	for _, cookie := range session {
		request.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	connection, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if err := request.Write(connection); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, request)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the websocket gets %s", response.Status)
	}
	s := &socket{title, make(chan closing, 1)}
	go func() {
		frame := make([]byte, 4) // of a server that says nothing, the first is the close frame
		_, err := io.ReadFull(reader, frame)
		end := closing{at: time.Now()}
		if err == nil && frame[0] == 0x88 {
			end.code = binary.BigEndian.Uint16(frame[2:])
		}
		s.closed <- end
	}()
	return s
}

// endsAfter waits for the close frame and says how long that took.
func (s *socket) endsAfter(t *testing.T, began time.Time, limit time.Duration) {
	t.Helper()
	select {
	case end := <-s.closed:
		t.Logf("%s closed after %v", s.title, end.at.Sub(began).Round(time.Millisecond))
		if end.code != 4401 {
			t.Errorf("%s was closed with code %d", s.title, end.code)
		}
	case <-time.After(limit):
		t.Errorf("%s is still open after %v", s.title, limit)
	}
}

func (s *socket) isOpen(t *testing.T) {
	t.Helper()
	select {
	case end := <-s.closed:
		t.Errorf("%s was closed with code %d", s.title, end.code)
	default:
	}
}

// forRequests are a browser's cookies for localhost.
func forRequests(cookies []*network.Cookie) (all []*http.Cookie) {
	for _, cookie := range cookies {
		if cookie.Domain == "localhost" {
			all = append(all, &http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
	return all
}
