// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without a network, so that its clock may be a test's.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.IPAddr{} }

// connect runs a real server, and returns a connection to it.
func connect(t *testing.T, readTimeout time.Duration, handler http.HandlerFunc) net.Conn {
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{ReadTimeout: readTimeout, Handler: handler}
	go func() { _ = server.Serve(listener) }()
	client, ours := net.Pipe()
	listener.connections <- ours
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
	})
	return client
}

// sendForm sends the head of a form and as much of it as is given.
func sendForm(c net.Conn, path, form, part string) {
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		path, testHost, len(form), part)
}

// TestSlowForms: who sends a form one byte at a time does not keep a connection
// for ever, and who has sent it may wait for the answer as long as it takes.
func TestSlowForms(t *testing.T) {
	form := credentialsForm(testUser, testPassword).Encode()
	tests := map[string]struct {
		path        string
		readTimeout time.Duration
		send        string
		slowly      bool
		want        int
		within      time.Duration
	}{
		"whole form":                 {"/login", 0, form, false, http.StatusSeeOther, time.Second},
		"no body":                    {"/login", 0, "", true, http.StatusRequestTimeout, 2*bodyPatience + time.Second},
		"byte by byte":               {"/login", 0, form[:3], true, http.StatusRequestTimeout, 2*bodyPatience + time.Second},
		"a server in more hurry":     {"/login", 5 * time.Second, form[:3], true, http.StatusRequestTimeout, 6 * time.Second},
		"a server in less hurry":     {"/login", time.Hour, form[:3], true, http.StatusRequestTimeout, 2*bodyPatience + time.Second},
		"logout token":               {"/logout/backchannel", 0, form[:3], true, http.StatusBadRequest, 21 * time.Second},
		"logout, which reads none":   {"/logout", 0, form[:3], true, http.StatusOK, 21 * time.Second},
		"page, which is not reached": {"/app", 0, form[:3], true, http.StatusUnauthorized, 21 * time.Second},
		"me, which takes none":       {"/login/me", 0, form[:3], true, http.StatusMethodNotAllowed, 21 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newOpenID(t)
			onFakeTime(t, func(t *testing.T) {
				s := newSite(t, signInWith(p), withPassword)
				c := connect(t, test.readTimeout, func(w http.ResponseWriter, r *http.Request) {
					r.RemoteAddr = "192.0.2.1:4711"
					_ = s.ServeHTTP(w, prepared(r), s.app)
				})
				began := time.Now()
				sendForm(c, test.path, form, test.send)
				if test.slowly {
					go trickle(c)
				}
				answer, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatal(err)
				}
				_ = answer.Body.Close()
				if took := time.Since(began); answer.StatusCode != test.want || took > test.within {
					t.Errorf("%d after %s", answer.StatusCode, took)
				}
			})
		})
	}
}

// trickle sends a byte now and then, until the connection is closed.
func trickle(c net.Conn) {
	for {
		time.Sleep(3 * time.Second)
		if _, err := io.WriteString(c, "x"); err != nil {
			return
		}
	}
}

// TestSlowHash: a password that is hashed for longer than a form may take to
// arrive is answered.
func TestSlowHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, 0, func(w http.ResponseWriter, r *http.Request) {
			if form, status := readForm(w, r); status != 0 || form.Get("username") != testUser {
				t.Errorf("%d, %v", status, form)
			}
			time.Sleep(2 * bodyPatience)
			if err := r.Context().Err(); err != nil {
				t.Error(err)
			}
		})
		form := credentialsForm(testUser, testPassword).Encode()
		sendForm(c, "/", form, form)
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _ = answer.Body.Close(); answer.StatusCode != http.StatusOK {
			t.Error(answer.Status)
		}
	})
}
