// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// secureSite is a real Caddy that speaks HTTP/1.1, HTTP/2 and HTTP/3, with its
// admin API, in front of an application that keeps things open.
type secureSite struct {
	*testSite
	upstream *liveUpstream
	admin    string
}

// insecure is what a transport makes its own, so that each gets another.
func insecure() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// serveSecurely runs it with the given lines of panelauth. What is below /flush
// passes a proxy with flush_interval -1.
func serveSecurely(t *testing.T, lines ...string) *secureSite {
	t.Helper()
	upstream := newLiveUpstream(t)
	proxy := "reverse_proxy " + upstream.Listener.Addr().String()
	certificate, key := writeCertificate(t)
	text := fmt.Sprintf(`{
	auto_https disable_redirects
}

https://localhost:8080 {
	tls %s %s
	panelauth {
		%s
	}
	handle_path /flush/* {
		%s {
			flush_interval -1
		}
	}
	%s
}
`, certificate, key, strings.Join(lines, "\n"), proxy, proxy)
	file := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(file, caddyfile.Format([]byte(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &secureSite{serve(t, file), upstream, freeAddress(t)}
	var config map[string]any
	if err := json.Unmarshal(s.config, &config); err != nil {
		t.Fatal(err)
	}
	config["admin"] = map[string]any{"listen": s.admin, "config": map[string]any{"persist": false}}
	s.config, _ = json.Marshal(config)
	load(t, s.config)
	s.origin.Scheme = "https"
	s.client.Transport = &http.Transport{TLSClientConfig: insecure()}
	t.Cleanup(s.client.CloseIdleConnections)
	s.awaitAnswer(t)
	return s
}

// awaitAnswer asks until there is an answer: the first connections after the
// second load may still come to the server of the first, which closes them.
func (s *secureSite) awaitAnswer(t *testing.T) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var answer *http.Response
		if answer, err = s.client.Get(s.origin.String() + "/login"); err == nil {
			_ = answer.Body.Close()
			return
		}
	}
	t.Fatal("nobody answers: ", err)
}

// writeCertificate writes the certificate for 127.0.0.1 that net/http has for
// tests.
func writeCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	pair := server.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("certificate.pem", "CERTIFICATE", pair.Certificate[0]), write("key.pem", "PRIVATE KEY", secret)
}

// The shapes of what stays open, and the protocols that carry them.
var (
	liveShapes = []string{
		"/ws", "/ws?flood", "/events", "/file?size=1099511627776",
		"/flush/ws", "/flush/ws?flood", "/flush/events", "/flush/file?size=1099511627776",
	}
	// quietShapes have no traffic of their own.
	quietShapes   = []string{"/ws", "/events", "/flush/ws", "/flush/events"}
	liveProtocols = []string{"HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}
)

// stream is the client's end of something open.
type stream struct {
	name string
	io.Writer
	body io.Reader
	over chan struct{} // closed when it has ended
	how  error         // then: nil is the way it should
}

var (
	errSoon  = errors.New("ends although its session goes on")
	errWhole = errors.New("ends as if it were whole")
)

// openAll opens every shape over every protocol, and follows what comes.
func (s *secureSite) openAll(t *testing.T, shapes []string) (all []*stream) {
	t.Helper()
	transports := map[string]http.RoundTripper{
		"HTTP/1.1": &http.Transport{TLSClientConfig: insecure(), DisableCompression: true},
		"HTTP/2.0": &http2.Transport{TLSClientConfig: insecure()}, //nolint:staticcheck // the other one cannot ask for websockets
		"HTTP/3.0": &http3.Transport{TLSClientConfig: insecure()},
	}
	for _, transport := range transports {
		if closer, ok := transport.(io.Closer); ok {
			t.Cleanup(func() { closer.Close() })
		}
	}
	for _, protocol := range liveProtocols {
		for _, shape := range shapes {
			one := s.openStream(t, transports[protocol], protocol, shape)
			one.follow(strings.Contains(shape, "/ws"))
			all = append(all, one)
		}
	}
	return all
}

func (s *secureSite) openStream(t *testing.T, transport http.RoundTripper, protocol, shape string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.origin.String()+shape, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range s.client.Jar.Cookies(s.origin) {
		r.AddCookie(cookie)
	}
	out := &stream{name: protocol + " " + shape, over: make(chan struct{})}
	if strings.Contains(shape, "/ws") {
		out.Writer = askForWebsocket(r, protocol)
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(out.name, err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.Proto != protocol || response.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s: got %s, %s", out.name, response.Proto, response.Status)
	}
	if conn, ok := response.Body.(io.ReadWriter); ok && out.Writer == nil {
		out.Writer = conn // what an upgrade leads to
	}
	out.body = response.Body
	return out
}

// askForWebsocket makes a request one for a websocket: an upgrade, or what RFC
// 8441 and RFC 9220 have instead, with a body that goes on. It returns the
// body's other end.
func askForWebsocket(r *http.Request, protocol string) io.Writer {
	r.Header.Set("Sec-WebSocket-Version", "13")
	if protocol == "HTTP/1.1" {
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		return nil
	}
	in, out := io.Pipe()
	r.Method, r.Body, r.ContentLength = http.MethodConnect, in, -1
	if protocol == "HTTP/2.0" {
		r.Header[":protocol"] = []string{"websocket"}
	} else {
		r.Proto = "websocket"
	}
	return out
}

// follow reads until the end, which for a websocket is to be the right close
// frame and for all else something that no client takes for whole.
func (s *stream) follow(websocket bool) {
	go func() {
		defer close(s.over)
		if websocket {
			s.how = s.readToClose()
			return
		}
		if _, err := io.Copy(io.Discard, s.body); err == nil {
			s.how = errWhole
		}
	}()
}

func (s *stream) readToClose() error {
	r := bufio.NewReader(s.body)
	for {
		opcode, payload, err := readWebsocketFrame(r)
		switch {
		case err != nil:
			return fmt.Errorf("no close frame: %w", err)
		case opcode == 1:
			continue
		case opcode != 8 || string(payload) != "\x11\x31session ended":
			return fmt.Errorf("opcode %d, %q", opcode, payload)
		}
		break
	}
	_, _ = s.Write(maskedFrame(8, "\x11\x31session ended"))
	if rest, _ := io.ReadAll(r); len(rest) > 0 {
		return fmt.Errorf("after the close frame comes %q", rest)
	}
	return nil
}

// wantOpen checks that nothing has ended yet.
func wantOpen(t *testing.T, all []*stream) {
	t.Helper()
	for _, one := range all {
		select {
		case <-one.over:
			t.Fatalf("%s: %v, %v", one.name, errSoon, one.how)
		default:
		}
	}
}

// wantEnded waits until all has ended, on both sides.
func (s *secureSite) wantEnded(t *testing.T, all []*stream) {
	t.Helper()
	patience := time.After(time.Minute)
	websockets := 0
	for _, one := range all {
		select {
		case <-one.over:
		case <-patience:
			t.Fatalf("%s: goes on", one.name)
		}
		if one.how != nil {
			t.Errorf("%s: %v", one.name, one.how)
		}
		if one.Writer != nil {
			websockets++
		}
	}
	for range websockets {
		select {
		case code := <-s.upstream.codes:
			if code != 4401 {
				t.Errorf("the application was closed with %d", code)
			}
		case <-patience:
			t.Fatal("the application still has a websocket")
		}
	}
}

func (s *secureSite) wantOver(t *testing.T) {
	t.Helper()
	if page := s.get(t, "/"); page.status != http.StatusFound {
		t.Errorf("the next request gets %d", page.status)
	}
}

func (s *secureSite) signInAt(t *testing.T) {
	t.Helper()
	back := s.get(t, s.get(t, "/login").location)
	if in := s.get(t, back.location); in.status != http.StatusSeeOther {
		t.Fatalf("coming back: got %d:\n%s", in.status, in.body)
	}
}

// TestLiveEndsThroughCaddy ends a session in each way there is, while it has
// every shape of connection open over every protocol, behind a real
// reverse_proxy.
func TestLiveEndsThroughCaddy(t *testing.T) {
	if !withExtendedConnect(t) {
		return
	}
	password := "basic_auth open-sesame"
	for name, end := range map[string]func(t *testing.T){
		"logout": func(t *testing.T) {
			s := serveSecurely(t, password)
			s.signInMaria(t)
			all := s.openAll(t, liveShapes)
			wantOpen(t, all)
			s.get(t, "/logout")
			s.wantEnded(t, all)
		},
		"lifetime over": func(t *testing.T) {
			s := serveSecurely(t, password, "oauth_expiry_days 0.00015") // 13 s
			s.signInMaria(t)
			s.wantEnded(t, s.openAll(t, liveShapes))
			s.wantOver(t)
		},
		"idle": func(t *testing.T) {
			const idle = 6 * time.Second
			s := serveSecurely(t, password, "session_idle 6s")
			s.signInMaria(t)
			all := s.openAll(t, quietShapes)
			for began := time.Now(); time.Since(began) < idle+idle/2; time.Sleep(idle / 30) {
				if _, err := all[0].Write(maskedFrame(1, "hello")); err != nil {
					t.Fatal(err)
				}
			}
			wantOpen(t, all) // traffic is use
			s.wantEnded(t, all)
			s.wantOver(t)
		},
		"revoked through the admin API": func(t *testing.T) {
			s := serveSecurely(t, password)
			s.signInMaria(t)
			all := s.openAll(t, liveShapes)
			wantOpen(t, all)
			r, _ := http.NewRequest(http.MethodDelete, "http://"+s.admin+"/panelauth/sessions?user=maria", nil)
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Fatal("the admin API answers", answer.Status)
			}
			s.wantEnded(t, all)
			s.wantOver(t)
		},
		"removed from the credentials file": func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "users.json")
			write := func(text string) {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(`{"maria": "open-sesame", "bob": "pw"}`)
			s := serveSecurely(t, "basic_auth "+file)
			s.signInMaria(t)
			all := s.openAll(t, liveShapes)
			wantOpen(t, all)
			write(`{"bob": "pw"}`)
			s.wantEnded(t, all)
			s.wantOver(t)
		},
		"back-channel logout": func(t *testing.T) {
			p := providertest.Start(t)
			s := serveSecurely(t, "oauth_provider oidc", "oauth_key "+p.ClientID, fmt.Sprintf("oauth_secret %q", p.ClientSecret),
				"oauth_extra_params {", "ISSUER "+p.URL, "}")
			s.signInAt(t)
			all := s.openAll(t, liveShapes)
			wantOpen(t, all)
			token := url.Values{"logout_token": {p.LogoutToken("1001", providertest.SIDOf("1001"))}}
			answer, err := (&http.Client{Transport: s.client.Transport}).PostForm(s.origin.String()+"/logout/backchannel", token)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Fatal("the token is answered with", answer.Status)
			}
			s.wantEnded(t, all)
			s.wantOver(t)
		},
	} {
		t.Run(name, end)
	}
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
