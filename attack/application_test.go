// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// application is what stands behind the door. It keeps each request as it came
// over the wire, and answers each alike.
type application struct {
	listener net.Listener

	mu  sync.Mutex
	got []received
}

// received is a request as the application got it.
type received struct {
	raw    string
	line   string
	fields [][2]string // names as they are written
}

// theApplication is how every request to the application is answered.
const theApplication = "this is the application"

func newApplication(t testing.TB) *application {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &application{listener: listener}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go a.serve(conn)
		}
	}()
	return a
}

func (a *application) address() string { return a.listener.Addr().String() }

func (a *application) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	var raw bytes.Buffer
	reader := bufio.NewReader(io.TeeReader(conn, &raw))
	r, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	a.keep(raw.String())
	if r.Header.Get("Upgrade") == "" {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"+theApplication)
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+r.Header.Get("Upgrade")+"\r\n\r\n")
	_, _ = io.Copy(conn, reader) // until the other side goes
}

func (a *application) keep(raw string) {
	got := received{raw: raw}
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	for i, line := range strings.Split(head, "\r\n") {
		if i == 0 {
			got.line = line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		got.fields = append(got.fields, [2]string{name, strings.TrimSpace(value)})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got = append(a.got, got)
}

// requests are those since the last call.
func (a *application) requests() []received {
	a.mu.Lock()
	defer a.mu.Unlock()
	got := a.got
	a.got = nil
	return got
}

// values are those of the headers that a server would take for one of that
// name, which some do with underscores and dots.
func (r received) values(name string) (values []string) {
	for _, field := range r.fields {
		if folded(field[0]) == folded(name) {
			values = append(values, field[1])
		}
	}
	return values
}

func folded(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			return c
		case 'A' <= c && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}, name)
}
