// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// liveUpstream is an application that keeps things open. Each websocket sends
// what it gets, and says what the code was that it was closed with.
type liveUpstream struct {
	*httptest.Server
	codes chan uint16
	left  atomic.Int64 // event streams that are over
}

func newLiveUpstream(t testing.TB) *liveUpstream {
	u := &liveUpstream{codes: make(chan uint16, 20000)}
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", u.websocket)
	mux.HandleFunc("/events", u.events)
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", r.URL.Query().Get("size"))
		piece := make([]byte, 64<<10)
		for {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	u.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		u.CloseClientConnections()
		u.Close()
	})
	return u
}

func (u *liveUpstream) events(w http.ResponseWriter, r *http.Request) {
	defer u.left.Add(1)
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: hello\n\n")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func (u *liveUpstream) websocket(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "websocket")
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	flood := r.URL.Query().Has("flood")
	var writing sync.WaitGroup
	if flood {
		writing.Go(func() {
			for frame := textFrame(make([]byte, 1000)); ; {
				if _, err := conn.Write(frame); err != nil {
					return
				}
			}
		})
	}
	for {
		opcode, payload, err := readWebsocketFrame(buffered.Reader)
		switch {
		case err != nil:
			u.codes <- 1006
			return
		case opcode == 8:
			u.codes <- binary.BigEndian.Uint16(payload)
			return
		case !flood:
			_, _ = conn.Write(textFrame(payload))
		}
	}
}

func textFrame(payload []byte) []byte {
	if len(payload) < 126 {
		return append([]byte{0x81, byte(len(payload))}, payload...)
	}
	return append(binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(payload))), payload...)
}

// maskedFrame is a frame of a client, with a key that changes nothing.
func maskedFrame(opcode byte, payload string) []byte {
	return append([]byte{0x80 | opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

func readWebsocketFrame(r *bufio.Reader) (opcode byte, payload []byte, err error) {
	var head [14]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return 0, nil, err
	}
	length := uint64(head[1] & 0x7f)
	if length == 126 {
		if _, err := io.ReadFull(r, head[2:4]); err != nil {
			return 0, nil, err
		}
		length = uint64(binary.BigEndian.Uint16(head[2:]))
	}
	var key [4]byte
	if head[1]&0x80 != 0 {
		if _, err := io.ReadFull(r, key[:]); err != nil {
			return 0, nil, err
		}
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r, payload)
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return head[0] & 0x0f, payload, err
}

// serveLive runs a Caddy in front of an upstream, with panelauth or without.
func serveLive(t testing.TB, upstream *liveUpstream, panelauth bool, proxy string, site ...string) *testSite {
	t.Helper()
	door := ""
	if panelauth {
		door = "\tpanelauth {\n\t\tbasic_auth open-sesame\n\t}\n"
	}
	text := fmt.Sprintf(":8080 {\n%s%s\treverse_proxy %s {\n%s\n\t}\n}\n",
		strings.Join(site, "\n")+"\n", door, upstream.Listener.Addr(), proxy)
	file := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(file, caddyfile.Format([]byte(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	return serve(t, file)
}

func (s *testSite) signInMaria(t testing.TB) {
	t.Helper()
	form := s.get(t, "/login")
	s.post(t, form, url.Values{"username": {"maria"}, "password": {"open-sesame"}})
}

// open sends a request on a connection of its own.
func (s *testSite) open(t testing.TB, target string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", s.origin.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	cookies := ""
	for _, cookie := range s.client.Jar.Cookies(s.origin) {
		cookies += "Cookie: " + cookie.Name + "=" + cookie.Value + "\r\n"
	}
	upgrade := ""
	if strings.HasPrefix(target, "/ws") {
		upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n", target, s.origin.Host, cookies, upgrade)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if upgrade == "" {
		return conn, bufio.NewReader(response.Body)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal("the websocket got", response.Status)
	}
	return conn, reader
}

// liveProxies are ways to configure reverse_proxy that change how it copies,
// and with an access log, which wraps connections too.
var liveProxies = map[string]struct {
	proxy string
	site  string
}{
	"plain":             {"", ""},
	"flush_interval -1": {"\t\tflush_interval -1", ""},
	"access log":        {"", "\tlog {\n\t\toutput discard\n\t}"},
	"encode":            {"", "\tencode"},
	"small buffers":     {"\t\tstream_buffer_size 5", ""},
}

// TestLiveThroughProxy closes what is open behind a real reverse_proxy by a
// logout.
func TestLiveThroughProxy(t *testing.T) {
	for name, config := range liveProxies {
		t.Run(name, func(t *testing.T) {
			upstream := newLiveUpstream(t)
			site := serveLive(t, upstream, true, config.proxy, config.site)
			site.signInMaria(t)

			quietConn, quiet := site.open(t, "/ws")
			if _, err := quietConn.Write(maskedFrame(1, "hello")); err != nil {
				t.Fatal(err)
			}
			if _, payload, err := readWebsocketFrame(quiet); err != nil || string(payload) != "hello" {
				t.Fatalf("the echo is %q, %v", payload, err)
			}
			busyConn, busy := site.open(t, "/ws?flood")
			_, events := site.open(t, "/events")
			_, file := site.open(t, "/file?size=1099511627776")
			for _, stream := range []*bufio.Reader{events, file} {
				if _, err := stream.Peek(10); err != nil {
					t.Fatal(err)
				}
			}

			begun := time.Now()
			if out := site.get(t, "/logout"); out.status != http.StatusOK {
				t.Fatal("logging out:", out.status)
			}
			wantClosed(t, quietConn, quiet)
			wantClosed(t, busyConn, busy)
			for range 2 {
				if code := <-upstream.codes; code != 4401 {
					t.Errorf("the application was closed with %d", code)
				}
			}
			for what, stream := range map[string]*bufio.Reader{"events": events, "file": file} {
				if _, err := io.Copy(io.Discard, stream); err == nil {
					t.Errorf("the %s end as if they were whole", what)
				}
			}
			if upstream.left.Load() != 1 {
				time.Sleep(100 * time.Millisecond)
			}
			if n := upstream.left.Load(); n != 1 {
				t.Errorf("%d event streams are over for the application", n)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// wantClosed reads frames until the close frame, which must be the last, and
// answers it.
func wantClosed(t *testing.T, conn net.Conn, r *bufio.Reader) {
	t.Helper()
	for {
		opcode, payload, err := readWebsocketFrame(r)
		switch {
		case err != nil:
			t.Fatal("no close frame:", err)
		case opcode == 1 && len(payload) == 1000:
			continue
		case opcode != 8 || string(payload) != "\x11\x31session ended":
			t.Fatalf("got opcode %d, %q", opcode, payload)
		}
		break
	}
	_, _ = conn.Write(maskedFrame(8, "\x11\x31session ended"))
	if rest, err := io.ReadAll(r); len(rest) > 0 {
		t.Errorf("after the close frame: %q, %v", rest, err)
	}
}

// TestLiveSurvivesReload: a websocket that outlives a reload by
// stream_close_delay is closed by a logout all the same.
func TestLiveSurvivesReload(t *testing.T) {
	upstream := newLiveUpstream(t)
	site := serveLive(t, upstream, true, "\t\tstream_close_delay 1h")
	site.signInMaria(t)
	conn, r := site.open(t, "/ws")
	load(t, site.config)
	if _, err := conn.Write(maskedFrame(1, "still here")); err != nil {
		t.Fatal(err)
	}
	if _, payload, err := readWebsocketFrame(r); err != nil || string(payload) != "still here" {
		t.Fatalf("the echo is %q, %v", payload, err)
	}
	site.get(t, "/logout")
	wantClosed(t, conn, r)
}

// TestLivePasswordChangedByReload closes websockets that outlive a reload which
// changes the password.
func TestLivePasswordChangedByReload(t *testing.T) {
	upstream := newLiveUpstream(t)
	site := serveLive(t, upstream, true, "\t\tstream_close_delay 1h")
	site.signInMaria(t)
	conn, r := site.open(t, "/ws")
	changed := strings.ReplaceAll(string(site.config), "open-sesame", "close-sesame")
	if !json.Valid([]byte(changed)) || changed == string(site.config) {
		t.Fatal("the password has not changed")
	}
	load(t, []byte(changed))
	wantClosed(t, conn, r)
}

// serveMaria serves an application to somebody who has signed in, where there is
// a door.
func serveMaria(b *testing.B, panelauth bool) *testSite {
	b.Helper()
	site := serveLive(b, newLiveUpstream(b), panelauth, "")
	if panelauth {
		site.signInMaria(b)
	}
	return site
}

// BenchmarkLive compares what passes through Caddy with panelauth and without.
func BenchmarkLive(b *testing.B) {
	for _, panelauth := range []bool{false, true} {
		name := map[bool]string{false: "bare", true: "panelauth"}[panelauth]
		b.Run("echo/"+name, func(b *testing.B) {
			site := serveMaria(b, panelauth)
			conn, r := site.open(b, "/ws")
			message := maskedFrame(1, strings.Repeat("x", 100))
			for b.Loop() {
				_, _ = conn.Write(message)
				if _, _, err := readWebsocketFrame(r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("frames/"+name, func(b *testing.B) {
			site := serveMaria(b, panelauth)
			_, r := site.open(b, "/ws?flood")
			frame := make([]byte, 1004)
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				if _, err := io.ReadFull(r, frame); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("download/"+name, func(b *testing.B) {
			site := serveMaria(b, panelauth)
			_, r := site.open(b, "/file?size=1099511627776")
			piece := make([]byte, 1<<20)
			b.SetBytes(int64(len(piece)))
			for b.Loop() {
				if _, err := io.ReadFull(r, piece); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
