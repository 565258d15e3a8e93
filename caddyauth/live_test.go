// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"
)

// readFrame reads one websocket frame, unmasked.
func readFrame(t testing.TB, r io.Reader) (opcode byte, payload []byte) {
	t.Helper()
	opcode, payload, err := tryReadFrame(r)
	if err != nil {
		t.Error("reading a frame:", err)
	}
	return opcode, payload
}

func tryReadFrame(r io.Reader) (opcode byte, payload []byte, err error) {
	head := make([]byte, 2, 14)
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, nil, err
	}
	rest := head[2:headerLength(head)]
	if _, err := io.ReadFull(r, rest); err != nil {
		return 0, nil, err
	}
	var f frames
	f.open(head[:2+len(rest)])
	payload = make([]byte, f.left)
	if _, err = io.ReadFull(r, payload); head[1]&maskBit != 0 {
		key := rest[len(rest)-4:]
		for i := range payload {
			payload[i] ^= key[i%4]
		}
	}
	return head[0] & opcodeMask, payload, err
}

// upstream is an application that keeps things open, as a proxy in front of one
// would: it sees what the module lets through.
type upstream struct {
	// heard has the payload of the close frame that the application got, or
	// what it had instead.
	heard chan string
	// left is closed when the request is over for the application.
	left chan struct{}
	// say is sent to the client as it is.
	say chan []byte
}

func newUpstream() *upstream {
	return &upstream{heard: make(chan string, 1), left: make(chan struct{}), say: make(chan []byte)}
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) error {
	defer close(u.left)
	switch r.URL.Path {
	case "/ws":
		return u.websocket(w, r)
	case "/tunnel":
		return u.tunnel(w, r)
	case "/file":
		return u.download(w, r)
	}
	return u.events(w, r)
}

// tunnel takes the connection over without a word to the server, as some
// libraries do, and reads what comes.
func (u *upstream) tunnel(w http.ResponseWriter, _ *http.Request) error {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, _ = buffered.WriteString("HTTP/1.1 200 OK\r\n\r\nhello")
	_ = buffered.Flush()
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		_, _ = io.Copy(io.Discard, buffered)
	}()
	for {
		select {
		case p := <-u.say:
			_, _ = conn.Write(p)
		case <-reading:
			return nil
		}
	}
}

func (u *upstream) websocket(w http.ResponseWriter, r *http.Request) error {
	var conn io.ReadWriteCloser
	if r.Method == http.MethodConnect {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		conn = struct {
			io.ReadCloser
			io.Writer
		}{r.Body, flushed{w}}
	} else {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
		hijacked, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		conn = struct {
			io.Reader
			io.WriteCloser
		}{buffered.Reader, hijacked}
	}
	defer conn.Close()
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		for {
			opcode, payload, err := tryReadFrame(conn)
			if err != nil {
				u.hears(err.Error())
				return
			}
			if opcode == opcodeClose {
				u.hears(string(payload))
				return
			}
			_, _ = conn.Write(frame(opcode, payload, false))
		}
	}()
	for {
		select {
		case p := <-u.say:
			_, _ = conn.Write(p)
		case <-reading:
			return nil
		case <-r.Context().Done():
			conn.Close()
			<-reading
			return nil
		}
	}
}

func (u *upstream) hears(what string) {
	select {
	case u.heard <- what:
	default:
	}
}

type flushed struct{ http.ResponseWriter }

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	_ = http.NewResponseController(f.ResponseWriter).Flush()
	return n, err
}

func (u *upstream) events(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = flushed{w}.Write([]byte("data: 1\n\n"))
	for {
		select {
		case p := <-u.say:
			_, _ = flushed{w}.Write(p)
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
}

// download never looks at the context, as a file server does not.
func (u *upstream) download(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Length", "1099511627776")
	_, err := io.Copy(w, zeroes{})
	return err
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// liveSite is a site on real servers, one for each protocol.
type liveSite struct {
	*site
	app *upstream
}

func newLiveSite(t testing.TB, configure ...func(*Handler)) *liveSite {
	return &liveSite{newSite(t, configure...), newUpstream()}
}

func (s *liveSite) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = s.ServeHTTP(w, prepared(r), s.app)
	})
}

// liveClient is a client's end of what is open.
type liveClient struct {
	io.Writer
	*bufio.Reader
	status int
	close  func()
}

type protocol struct {
	name string
	open func(t testing.TB, s *liveSite, path, cookies string) *liveClient
}

var protocols = []protocol{
	{"HTTP/1.1", openHTTP1},
	{"HTTP/1.1 with TLS", openTLS},
	{"HTTP/2", openHTTP2},
	{"HTTP/3", openHTTP3},
}

func openHTTP1(t testing.TB, s *liveSite, path, cookies string) *liveClient {
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.CloseClientConnections)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return sendHTTP1(t, conn, path, cookies)
}

func openTLS(t testing.TB, s *liveSite, path, cookies string) *liveClient {
	server := httptest.NewTLSServer(s.handler())
	t.Cleanup(server.CloseClientConnections)
	conn, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	return sendHTTP1(t, conn, path, cookies)
}

func sendHTTP1(t testing.TB, conn net.Conn, path, cookies string) *liveClient {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	r := get(path, cookieLine(cookies))
	switch path {
	case "/ws":
		websocket(r)
	case "/events":
		r.Header.Set("Accept", "text/event-stream")
	}
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, r)
	if err != nil {
		t.Fatal(err)
	}
	if path != "/ws" {
		reader = bufio.NewReader(response.Body)
	}
	return &liveClient{conn, reader, response.StatusCode, func() { conn.Close() }}
}

func openHTTP2(t testing.TB, s *liveSite, path, cookies string) *liveClient {
	server := httptest.NewUnstartedServer(s.handler())
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.CloseClientConnections)
	transport := &http2.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:staticcheck // net/http's own has no extended CONNECT
	t.Cleanup(transport.CloseIdleConnections)                                             //nolint:staticcheck // as above
	return roundTrip(t, transport, server.URL+path, cookies)
}

func openHTTP3(t testing.TB, s *liveSite, path, cookies string) *liveClient {
	certificates := httptest.NewUnstartedServer(nil)
	certificates.StartTLS()
	t.Cleanup(certificates.Close)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http3.Server{Handler: s.handler(), TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: certificates.TLS.Certificates})}
	go func() { _ = server.Serve(udp) }()
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(func() {
		transport.Close()
		server.Close()
		udp.Close()
	})
	return roundTrip(t, transport, "https://"+udp.LocalAddr().String()+path, cookies)
}

func roundTrip(t testing.TB, transport http.RoundTripper, url, cookies string) *liveClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", cookies)
	in, out := io.Pipe()
	if strings.HasSuffix(url, "/ws") {
		r.Method, r.Body, r.ContentLength = http.MethodConnect, in, -1
		if _, ok := transport.(*http3.Transport); ok {
			r.Proto = "websocket"
		} else {
			r.Header[":protocol"] = []string{"websocket"}
		}
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return &liveClient{out, bufio.NewReader(response.Body), response.StatusCode, cancel}
}

// withExtendedConnect runs a test in a process in which net/http carries
// websockets over HTTP/2, which is decided when a process starts.
func withExtendedConnect(t *testing.T) (here bool) {
	t.Helper()
	if strings.Contains(os.Getenv("GODEBUG"), "http2xconnect=1") {
		return true
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), "GODEBUG=http2xconnect=1")
	output, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()) {
		t.Errorf("%v:\n%s", err, output)
	}
	return false
}

// patience is how long a test waits at most for what should take a moment.
const patience = time.Minute

const farewellText = "\x11\x31session ended"

// wantFarewell checks that both sides of a websocket were told.
func (s *liveSite) wantFarewell(t testing.TB, c *liveClient, reply bool) {
	t.Helper()
	opcode, payload := readFrame(t, c)
	if opcode != opcodeClose || string(payload) != farewellText {
		t.Errorf("the client gets opcode %d, %q", opcode, payload)
	}
	if reply {
		_, _ = c.Write(frame(opcodeClose, payload, true))
	}
	select {
	case heard := <-s.app.heard:
		if heard != farewellText {
			t.Errorf("the application gets %q", heard)
		}
	case <-time.After(patience):
		t.Error("the application gets nothing")
	}
	if rest, err := io.ReadAll(c); len(rest) > 0 {
		t.Errorf("after the close frame comes %q, %v", rest, err)
	}
	s.wantLeft(t)
}

func (s *liveSite) wantLeft(t testing.TB) {
	t.Helper()
	select {
	case <-s.app.left:
	case <-time.After(10 * time.Second):
		t.Fatal("the request goes on")
	}
	eventually(t, "nothing is open", func() bool { return s.door.live.open.Load() == 0 })
}

// wantBrokenOff checks that an answer breaks off so that the client notices.
func (s *liveSite) wantBrokenOff(t testing.TB, c *liveClient) {
	t.Helper()
	if _, err := io.Copy(io.Discard, c); err == nil {
		t.Error("the answer ends as if it were whole")
	}
	s.wantLeft(t)
}

func (s *liveSite) echoes(t testing.TB, c *liveClient) {
	t.Helper()
	if c.status != http.StatusSwitchingProtocols && c.status != http.StatusOK {
		t.Fatal("the answer is", c.status)
	}
	if _, err := c.Write(frame(1, []byte("hello"), true)); err != nil {
		t.Fatal(err)
	}
	if opcode, payload := readFrame(t, c); opcode != 1 || string(payload) != "hello" {
		t.Fatalf("the echo is %d, %q", opcode, payload)
	}
}

// TestLiveShapes closes each shape of connection, over each protocol, by a
// logout.
func TestLiveShapes(t *testing.T) {
	if !withExtendedConnect(t) {
		return
	}
	for _, protocol := range protocols {
		for _, answers := range []bool{true, false} {
			name := "websocket"
			if !answers {
				name += " whose client does not answer"
			}
			t.Run(protocol.name+"/"+name, func(t *testing.T) {
				s := newLiveSite(t)
				cookies := s.signInAlice(overTLS) + "; " + s.signInAlice()
				c := protocol.open(t, s, "/ws", cookies)
				s.echoes(t, c)
				s.logOut(t, cookies)
				s.wantFarewell(t, c, answers)
			})
		}
		for _, shape := range []string{"events", "file"} {
			t.Run(protocol.name+"/"+shape, func(t *testing.T) {
				s := newLiveSite(t)
				cookies := s.signInAlice(overTLS) + "; " + s.signInAlice()
				c := protocol.open(t, s, "/"+shape, cookies)
				if _, err := c.Peek(5); err != nil {
					t.Fatal(err)
				}
				s.logOut(t, cookies)
				s.wantBrokenOff(t, c)
			})
		}
	}
}

func (s *liveSite) logOut(t testing.TB, cookies string) {
	t.Helper()
	eventually(t, "the connection is known", func() bool { return s.door.live.open.Load() == 1 })
	for _, over := range []func(*http.Request){func(*http.Request) {}, overTLS} {
		s.serve(get("/logout", cookieLine(cookies), over)).want(http.StatusOK)
	}
	eventually(t, "what is open hears of it", func() bool {
		return !slices.ContainsFunc(s.door.live.all(), func(c *connection) bool { return !c.ending.Load() })
	})
}

// closeAll closes what is open of all sessions.
func (s *site) closeAll() {
	for _, c := range s.door.live.all() {
		s.door.live.closeAll(c.session.ID)
	}
}

// TestLiveEnds ends a session in each way there is.
func TestLiveEnds(t *testing.T) {
	users := func(t testing.TB) string {
		return newFile(t, "users.json", `{"alice": "`+testPassword+`", "bob": "pw"}`)
	}
	type ending struct {
		configure func(t testing.TB, h *Handler)
		end       func(t testing.TB, s *liveSite, c *clock, cookies string)
	}
	endings := map[string]ending{
		"logout": {end: func(t testing.TB, s *liveSite, _ *clock, cookies string) {
			s.serve(get("/logout", cookieLine(cookies))).want(http.StatusOK)
		}},
		"revocation": {end: func(t testing.TB, s *liveSite, _ *clock, cookies string) {
			found, err := s.door.sessions.Find(t.Context(), s.value(cookies), 0)
			if err != nil || found == nil || s.door.live.count(found.ID) != 1 {
				t.Fatal(found, err)
			}
			if err := s.door.sessions.End(t.Context(), found); err != nil {
				t.Fatal(err)
			}
		}},
		"closed alone": {end: func(_ testing.TB, s *liveSite, _ *clock, _ string) { s.closeAll() }},
		"lifetime":     {end: func(_ testing.TB, _ *liveSite, c *clock, _ string) { c.pass(day) }},
		"idle": {
			configure: func(_ testing.TB, h *Handler) { h.SessionIdle = lasting(time.Hour) },
			end: func(_ testing.TB, s *liveSite, c *clock, _ string) {
				time.Sleep(2 * lookInterval) // what has passed is seen
				c.pass(time.Hour + time.Minute)
			},
		},
		"user removed": {
			configure: func(t testing.TB, h *Handler) { h.BasicAuth = &BasicAuth{Source: users(t)} },
			end: func(t testing.TB, s *liveSite, _ *clock, _ string) {
				writeFile(t, s.settings.credentialsFile.path, `{"bob": "pw"}`)
			},
		},
		"password changed": {
			configure: func(t testing.TB, h *Handler) { h.BasicAuth = &BasicAuth{Source: users(t)} },
			end: func(t testing.TB, s *liveSite, _ *clock, _ string) {
				writeFile(t, s.settings.credentialsFile.path, `{"alice": "another", "bob": "pw"}`)
			},
		},
		"logout on another instance": {end: func(t testing.TB, s *liveSite, c *clock, cookies string) {
			other := newSiteIn(t, anotherInstance(t.Name(), s.storage.(*certmagic.FileStorage).Path))
			other.serve(get("/logout", cookieLine(cookies))).want(http.StatusOK)
			c.pass(6 * time.Second)
		}},
	}
	for name, ending := range endings {
		for _, shape := range []string{"/ws", "/events"} {
			t.Run(name+shape, func(t *testing.T) {
				t.Parallel()
				s := newLiveSite(t, func(h *Handler) {
					if ending.configure != nil {
						ending.configure(t, h)
					}
				})
				clock := s.withClock()
				cookies := s.signInAlice()
				c := openHTTP1(t, s, shape, cookies)
				if shape == "/ws" {
					s.echoes(t, c)
				} else if _, err := c.Peek(5); err != nil {
					t.Fatal(err)
				}
				ending.end(t, s, clock, cookies)
				go clock.run(t.Context()) // a store that was too slow is asked again
				if shape == "/ws" {
					s.wantFarewell(t, c, true)
				} else {
					s.wantBrokenOff(t, c)
				}
			})
		}
	}
}

// value is the session cookie in a Cookie line.
func (s *liveSite) value(cookies string) string {
	_, value, _ := strings.Cut(cookies, "=")
	return value
}

// TestLiveTrafficIsUse: what passes keeps a session from being idle, but pings
// do not.
func TestLiveTrafficIsUse(t *testing.T) {
	anHour := func(h *Handler) { h.SessionIdle = lasting(time.Hour) }
	tests := map[string]struct {
		path  string
		pass  func(s *liveSite, c *liveClient)
		stays bool
	}{
		"messages of the application": {"/ws", func(s *liveSite, _ *liveClient) { s.app.say <- frame(1, []byte("x"), false) }, true},
		"messages of the client":      {"/ws", func(_ *liveSite, c *liveClient) { _, _ = c.Write(frame(1, []byte("x"), true)) }, true},
		"pings": {"/ws", func(s *liveSite, _ *liveClient) {
			select {
			case s.app.say <- frame(9, []byte("1"), false):
			case <-time.After(time.Second): // it has ended meanwhile, and the application with it
			}
		}, false},
		"pongs":                       {"/ws", func(_ *liveSite, c *liveClient) { _, _ = c.Write(frame(10, []byte("1"), true)) }, false},
		"events":                      {"/events", func(s *liveSite, _ *liveClient) { s.app.say <- []byte("data: 2\n\n") }, true},
		"nothing":                     {"/events", func(*liveSite, *liveClient) {}, false},
		"application's end of tunnel": {"/tunnel", func(s *liveSite, _ *liveClient) { s.app.say <- []byte("x") }, true},
		"client's end of tunnel":      {"/tunnel", func(_ *liveSite, c *liveClient) { _, _ = c.Write([]byte("x")) }, true},
		"nothing in a tunnel":         {"/tunnel", func(*liveSite, *liveClient) {}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newLiveSite(t, anHour)
			clock := s.withClock()
			cookies := s.signInAlice()
			c := openHTTP1(t, s, test.path, cookies)
			go func() { _, _ = io.Copy(io.Discard, c) }()
			eventually(t, "it is open", func() bool { return s.door.live.open.Load() == 1 })
			for range 3 {
				time.Sleep(2 * lookInterval)
				clock.pass(50 * time.Minute)
				test.pass(s, c)
				time.Sleep(2 * lookInterval)
				if s.door.live.open.Load() == 0 {
					break
				}
			}
			if stays := s.isSignedIn(cookies); stays != test.stays {
				t.Errorf("the session goes on: %t", stays)
			}
			if !test.stays {
				s.wantLeft(t)
			}
		})
	}
}

// TestLiveFarewellWaitsForFrames: a close frame comes after the frame that is
// being sent, and instead of its end if that does not come.
func TestLiveFarewellWaitsForFrames(t *testing.T) {
	message := frame(2, make([]byte, 1000), false)
	t.Run("and what was begun is finished", func(t *testing.T) {
		s := newLiveSite(t)
		cookies := s.signInAlice()
		c := openHTTP1(t, s, "/ws", cookies)
		s.app.say <- message[:400]
		_, _ = c.Peek(400)
		s.logOut(t, cookies)
		s.app.say <- append(append([]byte{}, message[400:]...), frame(1, []byte("too late"), false)...)
		if opcode, payload := readFrame(t, c); opcode != 2 || len(payload) != 1000 {
			t.Errorf("got opcode %d, %d bytes", opcode, len(payload))
		}
		s.wantFarewell(t, c, true)
	})
	t.Run("for a second", func(t *testing.T) {
		s := newLiveSite(t)
		cookies := s.signInAlice()
		c := openHTTP1(t, s, "/ws", cookies)
		s.app.say <- message[:400]
		_, _ = c.Peek(400)
		s.logOut(t, cookies)
		begun := time.Now()
		_, _ = c.Write(frame(1, []byte("of no interest"), true))
		rest, _ := io.ReadAll(c)
		if len(rest) != 400 || time.Since(begun) < farewellPatience/2 || time.Since(begun) > 3*farewellPatience {
			t.Errorf("%d bytes after %v", len(rest), time.Since(begun))
		}
		s.wantLeft(t)
	})
	t.Run("of the client", func(t *testing.T) {
		s := newLiveSite(t)
		cookies := s.signInAlice()
		c := openHTTP1(t, s, "/ws", cookies)
		s.echoes(t, c)
		masked := frame(1, []byte("hello again"), true)
		_, _ = c.Write(masked[:8])
		time.Sleep(20 * time.Millisecond)
		s.logOut(t, cookies)
		_, _ = c.Write(append(append([]byte{}, masked[8:]...), frame(1, []byte("too late"), true)...))
		s.wantFarewell(t, c, false)
	})
}

// TestLiveClientThatDoesNotRead cannot keep a connection open.
func TestLiveClientThatDoesNotRead(t *testing.T) {
	for _, path := range []string{"/ws", "/file"} {
		t.Run(path, func(t *testing.T) {
			s := newLiveSite(t)
			cookies := s.signInAlice()
			openHTTP1(t, s, path, cookies)
			if path == "/ws" {
				go func() {
					for {
						select {
						case s.app.say <- frame(2, make([]byte, 1<<20), false):
						case <-s.app.left:
							return
						}
					}
				}()
			}
			time.Sleep(100 * time.Millisecond) // until nothing moves
			s.logOut(t, cookies)
			s.wantLeft(t)
		})
	}
}

// TestLiveOwnEnd: a request that ends its own session gets its answer.
func TestLiveOwnEnd(t *testing.T) {
	for name, before := range map[string]string{"before the answer": "", "in the middle of it": "good"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			cookies := s.signInAlice()
			s.app.do = func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, before)
				s.closeAll()
				time.Sleep(20 * time.Millisecond)
				_, _ = io.WriteString(w, strings.TrimPrefix("goodbye", before))
			}
			if a := s.serve(get("/app/quit", cookieLine(cookies))); a.text != "goodbye" {
				t.Errorf("got %q", a.text)
			}
		})
	}
}

// TestLiveLeavesTheRequest: placeholders and the application see one request,
// and who comes after the application sees it in force still.
func TestLiveLeavesTheRequest(t *testing.T) {
	s := newSite(t)
	r := prepared(request("POST", "/api", body("hello"), cookieLine(s.signInAlice())))
	s.app.do = func(_ http.ResponseWriter, r *http.Request) {
		placeholder, _ := replacerOf(r).GetString("http.request.body")
		read, err := io.ReadAll(r.Body)
		if placeholder != "hello" || string(read) != "hello" || err != nil {
			t.Errorf("the placeholder is %q, and then the application reads %q, %v", placeholder, read, err)
		}
		r.Method = http.MethodPut
		if method, _ := replacerOf(r).GetString("http.request.method"); method != http.MethodPut {
			t.Errorf("{http.request.method} is %q after a rewrite", method)
		}
	}
	if err := s.ServeHTTP(httptest.NewRecorder(), r, s.app); err != nil {
		t.Fatal(err)
	}
	if err := r.Context().Err(); err != nil {
		t.Errorf("the request is over for who comes after: %v", err)
	}
}

// accountsOf gives a site accounts.
func accountsOf(users ...string) func(*Handler) {
	return func(h *Handler) {
		h.BasicAuth = &BasicAuth{Accounts: map[string]string{}}
		for _, user := range users {
			h.BasicAuth.Accounts[user] = testPassword
		}
	}
}

// TestLiveSurvivesReload: what outlives the handler that let it in is still
// closed. The handler after it vouches for it, and no other site's.
func TestLiveSurvivesReload(t *testing.T) {
	type sites [][]func(*Handler)
	alice, bob, both := accountsOf("alice"), accountsOf("bob"), accountsOf("alice", "bob")
	changed := func(h *Handler) { h.LoginEndpoint = "/sign-in" }
	for name, test := range map[string]struct {
		before, after sites
		stays         bool
	}{
		"same accounts": {sites{{alice}}, sites{{alice}}, true},
		"password changed": {sites{{alice}}, sites{{func(h *Handler) {
			h.BasicAuth = &BasicAuth{Accounts: map[string]string{testUser: "another"}}
		}}}, false},
		"options changed":                 {sites{{alice}}, sites{{alice, changed}}, true},
		"another site without the user":   {sites{{alice}, {bob}}, sites{{bob}, {alice}}, true},
		"another site has the user":       {sites{{both}, {alice}}, sites{{bob}, {alice}}, false},
		"and is first":                    {sites{{both}, {alice}}, sites{{alice}, {bob}}, false},
		"options changed, as another has": {sites{{both}, {alice}}, sites{{bob, changed}, {alice}}, false},
		"options changed, both have it":   {sites{{both}, {alice}}, sites{{both, changed}, {alice}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storage := newFlakyStorage(t)
			begin := func(all sites) (begun []*site) {
				for _, options := range all {
					begun = append(begun, newSiteIn(t, storage, options...))
				}
				return begun
			}
			before := begin(test.before)
			s := &liveSite{before[0], newUpstream()}
			cookies := s.signInAlice()
			c := openHTTP1(t, s, "/ws", cookies)
			s.echoes(t, c)
			after := begin(test.after)
			for _, old := range before {
				old.leave()
			}
			if test.stays {
				time.Sleep(3 * lookInterval)
				s.echoes(t, c)
				after[0].serve(get("/logout", cookieLine(cookies))).want(http.StatusOK)
			}
			s.wantFarewell(t, c, true)
		})
	}
}

// TestLiveDoorCloses: what could not be closed later is closed, without saying
// that the session has ended.
func TestLiveDoorCloses(t *testing.T) {
	s := newLiveSite(t, func(h *Handler) { h.CookieSecret = []string{"another secret of this test"} })
	c := openHTTP1(t, s, "/ws", s.signInAlice())
	s.echoes(t, c)
	s.leave()
	if opcode, payload := readFrame(t, c); opcode != opcodeClose || binary.BigEndian.Uint16(payload) != 1001 {
		t.Errorf("got opcode %d, %x", opcode, payload)
	}
}

// TestLiveNoEntryAfterEnd: who comes as the session ends is not let in.
func TestLiveNoEntryAfterEnd(t *testing.T) {
	s := newSite(t)
	cookies := s.signInAlice()
	found, err := s.door.sessions.Find(t.Context(), strings.SplitN(cookies, "=", 2)[1], 0)
	if err != nil || found == nil {
		t.Fatal(found, err)
	}
	if err := s.door.sessions.End(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	next := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return errors.New("reached") })
	if err := s.serveLive(recorder, prepared(get("/app")), found, next); err != nil || recorder.Code != http.StatusUnauthorized {
		t.Error(recorder.Code, err)
	}
	if n := s.door.live.open.Load(); n != 0 {
		t.Error(n, "are open")
	}
}

// TestLiveManyOfOneUser closes a thousand websockets of one session at once.
func TestLiveManyOfOneUser(t *testing.T) {
	const many = 1000
	s := newSite(t)
	var left atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer left.Add(1)
		_ = s.ServeHTTP(w, prepared(r), newUpstream())
	}))
	t.Cleanup(server.CloseClientConnections)
	cookies := s.signInAlice()
	clients := make([]*liveClient, many)
	for i := range clients {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		clients[i] = sendHTTP1(t, conn, "/ws", cookies)
	}
	begun := time.Now()
	s.serve(get("/logout", cookieLine(cookies))).want(http.StatusOK)
	for _, c := range clients {
		if opcode, payload := readFrame(t, c); opcode != opcodeClose || string(payload) != farewellText {
			t.Fatalf("got opcode %d, %q", opcode, payload)
		}
	}
	if told := time.Since(begun); told > 2*time.Second {
		t.Errorf("telling %d took %v", many, told)
	}
	eventually(t, "all are closed", func() bool { return left.Load() == many })
	t.Logf("%d closed in %v", many, time.Since(begun))
}

// TestLiveSendsFiles: a file goes the way that the system copies by itself.
func TestLiveSendsFiles(t *testing.T) {
	s := newSite(t)
	path := filepath.Join(t.TempDir(), "file")
	content := strings.Repeat("0123456789", 300_000)
	writeFile(t, path, content)
	s.app.do = func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) }
	for _, span := range []string{"", "bytes=1000000-2500000"} {
		r := get("/file", cookieLine(s.signInAlice()), header("Range", span))
		a := s.serve(r)
		want := content
		if span != "" {
			want = content[1000000:2500001]
		}
		if a.text != want {
			t.Errorf("range %q: got %d bytes", span, len(a.text))
		}
	}
}

// TestLiveTunnelByHalves: who takes a connection over can still close one half.
func TestLiveTunnelByHalves(t *testing.T) {
	for name, limit := range map[string]time.Duration{"idle": time.Hour, "no limit": 0} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(h *Handler) { h.SessionIdle = lasting(limit) })
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = s.ServeHTTP(w, prepared(r), caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
					conn, buffered, err := http.NewResponseController(w).Hijack()
					if err != nil {
						return err
					}
					defer conn.Close()
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
					line, _ := buffered.ReadString('\n')
					_, _ = io.WriteString(conn, line)
					_ = conn.(interface{ CloseWrite() error }).CloseWrite()
					_, err = buffered.ReadString('\n')
					return err
				}))
			}))
			t.Cleanup(server.Close)
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			r := get("/tunnel", cookieLine(s.signInAlice()))
			var sent strings.Builder
			_ = r.Write(&sent)
			_, _ = io.WriteString(conn, sent.String()+"early\n") // read with the request
			if got, err := io.ReadAll(conn); !strings.HasSuffix(string(got), "\r\n\r\nearly\n") {
				t.Errorf("got %q, %v", got, err)
			}
			_, _ = io.WriteString(conn, "late\n")
		})
	}
}

// pieces is a response that takes note of what is read from at a time.
type pieces struct {
	*httptest.ResponseRecorder
	largest, total int64
}

func (p *pieces) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(io.Discard, r)
	p.largest, p.total = max(p.largest, n), p.total+n
	return n, err
}

// TestLivePiecesAreUse: with an idle limit, no client is so slow that a
// download is not seen to go on.
func TestLivePiecesAreUse(t *testing.T) {
	const size = 5 << 20
	for limit, largest := range map[time.Duration]int64{0: 1 << 20, time.Hour: 128 << 10} {
		t.Run(limit.String(), func(t *testing.T) {
			s := newSite(t, func(h *Handler) { h.SessionIdle = lasting(limit) })
			p := &pieces{ResponseRecorder: httptest.NewRecorder()}
			next := caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
				_, err := io.Copy(w, io.LimitReader(zeroes{}, size))
				return err
			})
			if err := s.ServeHTTP(p, prepared(get("/file", cookieLine(s.signInAlice()))), next); err != nil {
				t.Fatal(err)
			}
			if p.total != size || p.largest != largest {
				t.Errorf("%d bytes, at most %d at a time", p.total, p.largest)
			}
		})
	}
}

// timed is a response that counts how often its writing is stopped.
type timed struct {
	*httptest.ResponseRecorder
	stopped atomic.Int64
}

func (r *timed) SetWriteDeadline(at time.Time) error {
	if at.Before(time.Now()) {
		r.stopped.Add(1)
	}
	return nil
}

// TestLiveCutsAgain: an application that sets deadlines of its own keeps nothing
// open for somebody who was removed.
func TestLiveCutsAgain(t *testing.T) {
	s := newSite(t, accountsFile(newFile(t, "users.json", `{"alice": "`+testPassword+`", "bob": "pw"}`)))
	w := &timed{ResponseRecorder: httptest.NewRecorder()}
	release, served := make(chan struct{}), make(chan any, 1)
	next := caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, "an answer")
		<-release
		return nil
	})
	r := prepared(get("/app", cookieLine(s.signInAlice())))
	go func() {
		defer func() { served <- recover() }()
		_ = s.ServeHTTP(w, r, next)
	}()
	eventually(t, "it is open", func() bool { return s.door.live.open.Load() == 1 })
	writeFile(t, s.settings.credentialsFile.path, `{"bob": "pw"}`)
	eventually(t, "it is cut, and cut again", func() bool { return w.stopped.Load() >= 3 })
	close(release)
	if broken := <-served; !isAbort(broken) {
		t.Errorf("the answer ends with %v", broken)
	}
}
