// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// BenchmarkScaleLive is what many open websockets cost, with panelauth and
// without, and how long it takes to close them. Run it with -benchtime 1x. The
// figures are in docs/scaling.md.
//
// A websocket takes two open files of a proxy, two of an application and one of
// a browser, which is more than one process may have. So the application is
// another process, and browsers come to Caddy through memory.
func BenchmarkScaleLive(b *testing.B) {
	for _, many := range []int{1000, 10_000} {
		for _, door := range []bool{false, true} {
			name := map[bool]string{false: "bare", true: "panelauth"}[door]
			b.Run(fmt.Sprint(many, "/", name), func(b *testing.B) { scaleLive(b, many, door) })
		}
	}
}

// eachUser is how many websockets each user has.
const eachUser = 100

func scaleLive(b *testing.B, many int, door bool) {
	users := filepath.Join(b.TempDir(), "users.json")
	everybody := map[string]string{"nobody": "pw"}
	for i := range many / eachUser {
		everybody[fmt.Sprint("user", i)] = "pw"
	}
	writeUsers(b, users, everybody)
	serveInMemory(b, startUpstream(b), users, door)
	cookies := make([]string, many/eachUser)
	for i := range cookies {
		if door {
			cookies[i] = signInInMemory(b, fmt.Sprint("user", i))
		}
	}
	before := memoryInUse()
	var sockets []*bufio.Reader
	for i := range many {
		sockets = append(sockets, websocketInMemory(b, cookies[i/eachUser]))
	}
	b.ReportMetric(float64(memoryInUse()-before)/float64(many), "B/websocket")
	if !door {
		return
	}
	b.ReportMetric(untilClosed(b, sockets[:eachUser], func() {
		if out := askInMemory(b, http.MethodGet, "/logout", cookies[0], nil); out.StatusCode != http.StatusOK {
			b.Error("logging out:", out.Status)
		}
	}), "ms/close-one-user")
	b.ReportMetric(untilClosed(b, sockets[eachUser:], func() {
		writeUsers(b, users, map[string]string{"nobody": "pw"})
	}), "ms/close-all")
}

// untilClosed is how many milliseconds it takes until websockets are closed for
// the reason that end gives.
func untilClosed(b *testing.B, sockets []*bufio.Reader, end func()) float64 {
	b.Helper()
	var reading sync.WaitGroup
	for _, socket := range sockets {
		reading.Go(func() {
			if opcode, payload, err := readWebsocketFrame(socket); opcode != 8 || string(payload) != "\x11\x31session ended" {
				b.Errorf("got opcode %d, %q, %v", opcode, payload, err)
			}
		})
	}
	began := time.Now()
	end()
	reading.Wait()
	return float64(time.Since(began).Microseconds()) / 1000
}

func writeUsers(b *testing.B, file string, users map[string]string) {
	b.Helper()
	text, err := json.Marshal(users)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		b.Fatal(err)
	}
}

// upstreamVariable makes this program an application.
const upstreamVariable = "PANELAUTH_TEST_UPSTREAM"

// TestUpstreamProcess is the application of startUpstream, until its input
// ends.
func TestUpstreamProcess(t *testing.T) {
	if os.Getenv(upstreamVariable) == "" {
		t.Skip("is for other tests to run")
	}
	fmt.Println("listening on", newLiveUpstream(t).Listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// startUpstream runs an application in a process of its own and returns its
// address.
func startUpstream(b *testing.B) string {
	b.Helper()
	command := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestUpstreamProcess$")
	command.Env = append(os.Environ(), upstreamVariable+"=1")
	_, inErr := command.StdinPipe()
	output, outErr := command.StdoutPipe()
	if inErr != nil || outErr != nil {
		b.Fatal(inErr, outErr)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = command.Wait() }) // its context is over by then
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		b.Fatal("reading where the application listens:", err)
	}
	return strings.TrimPrefix(strings.TrimSpace(line), "listening on ")
}

// memoryListener is where browsers come to Caddy through memory.
type memoryListener struct {
	arriving chan net.Conn
	closed   chan struct{}
	close    func()
}

// inMemory is the one that is open.
var inMemory *memoryListener

func init() {
	caddy.RegisterNetwork("memory", func(context.Context, string, string, string, uint, net.ListenConfig) (any, error) {
		l := &memoryListener{arriving: make(chan net.Conn), closed: make(chan struct{})}
		l.close = sync.OnceFunc(func() { close(l.closed) })
		inMemory = l
		return l, nil
	})
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.arriving:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error   { l.close(); return nil }
func (l *memoryListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// memoryConn says that it comes from loopback.
type memoryConn struct{ net.Conn }

func (memoryConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }

func dialInMemory() net.Conn {
	browser, server := net.Pipe()
	inMemory.arriving <- memoryConn{server}
	return browser
}

// serveInMemory runs a Caddy in front of an application.
func serveInMemory(b *testing.B, upstream, users string, door bool) {
	b.Helper()
	lines := ""
	if door {
		lines = "panelauth {\n\t\tbasic_auth " + users + "\n\t}\n\t"
	}
	file := filepath.Join(b.TempDir(), "Caddyfile")
	text := ":8080 {\n\t" + lines + "reverse_proxy " + upstream + "\n}\n"
	if err := os.WriteFile(file, caddyfile.Format([]byte(text)), 0o600); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = caddy.Stop() })
	load(b, adapt(b, file, "memory/browsers:1"))
}

// askInMemory sends a request on a connection of its own.
func askInMemory(b *testing.B, method, target, cookie string, form url.Values) *http.Response {
	b.Helper()
	conn := dialInMemory()
	defer conn.Close()
	r, _ := http.NewRequest(method, "http://localhost"+target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	if err := r.Write(conn); err != nil {
		b.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		b.Fatal(err)
	}
	return response
}

func signInInMemory(b *testing.B, user string) (cookie string) {
	b.Helper()
	in := askInMemory(b, http.MethodPost, "/login", "", url.Values{"username": {user}, "password": {"pw"}})
	if len(in.Cookies()) == 0 || in.StatusCode != http.StatusSeeOther {
		b.Fatal("signing in:", in.Status)
	}
	return in.Cookies()[0].Name + "=" + in.Cookies()[0].Value
}

func websocketInMemory(b *testing.B, cookie string) *bufio.Reader {
	b.Helper()
	conn := dialInMemory()
	b.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", cookie)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		b.Fatal("opening a websocket:", response, err)
	}
	return reader
}

// memoryInUse is how much this process needs, what could be collected left out.
func memoryInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
