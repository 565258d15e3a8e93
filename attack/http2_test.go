// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// over2 sends a request by HTTP/2, field by field, with nothing put right. A
// stream or connection that is ended without an answer has the status 0.
func (s *site) over2(fields [][2]string, body string, trailers ...[2]string) (a answer) {
	s.t.Helper()
	name, _, _ := net.SplitHostPort(s.host)
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", s.address,
		&tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_, _ = conn.Write([]byte(http2.ClientPreface))
	_ = framer.WriteSettings()
	open := body != "" || len(trailers) > 0
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: packed(fields), EndHeaders: true, EndStream: !open})
	if open {
		_ = framer.WriteData(1, len(trailers) == 0, []byte(body))
	}
	if len(trailers) > 0 {
		_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: packed(trailers), EndHeaders: true, EndStream: true})
	}
	return read2(framer, fields[0][1] == http.MethodConnect)
}

func packed(fields [][2]string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range fields {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	return block.Bytes()
}

// read2 reads the answer of the first stream, or the beginning of one that may
// have no end.
func read2(framer *http2.Framer, endless bool) (a answer) {
	a.header = http.Header{}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return a
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			for _, field := range frame.Fields {
				if field.Name == ":status" {
					a.status, _ = strconv.Atoi(field.Value)
				} else {
					a.header.Add(field.Name, field.Value)
				}
			}
			if frame.StreamEnded() || endless && a.status < http.StatusMultipleChoices {
				return a
			}
		case *http2.DataFrame:
			a.body += string(frame.Data())
			if frame.StreamEnded() {
				return a
			}
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return a
		}
	}
}

// asking are the pseudo-header fields of a request for a path.
func (s *site) asking(method, path string, more ...[2]string) [][2]string {
	return append([][2]string{{":method", method}, {":scheme", "https"}, {":authority", s.host}, {":path", path}}, more...)
}

// outcome2 is attackedWith by HTTP/2.
func (s *site) outcome2(user string, fields [][2]string, body string, trailers ...[2]string) outcome {
	s.t.Helper()
	s.app.requests()
	o := outcome{base: s.base(), session: s.sessionCookie(), user: user, answer: s.over2(fields, body, trailers...)}
	o.app = s.app.requests()
	return o
}

// TestHTTP2Guests: no way to write a target by HTTP/2 opens what is not open.
func TestHTTP2Guests(t *testing.T) {
	s := serve(t, "guest", overTLS)
	for _, target := range append(disguises("/secret", "/public"), "", "*", "secret", "http://"+s.host+"/public/../secret", "/public\x00", "/public\t", "/public /secret", "/public\r\nX: y", "/public?\xff/../secret") {
		if isOpenToAll(target, "/public") || target == "/public?\xff/../secret" {
			continue
		}
		for _, method := range []string{"GET", "CONNECT", "TRACE", "get"} {
			if o := s.outcome2("guest", s.asking(method, target), ""); untouched(o) != nil {
				t.Errorf("%s %q: %v", method, target, untouched(o))
			}
		}
	}
	for what, fields := range map[string][][2]string{
		"two paths":            s.asking("GET", "/public", [2]string{":path", "/secret"}),
		"two paths, reversed":  s.asking("GET", "/secret", [2]string{":path", "/public"}),
		"path after others":    {{":method", "GET"}, {":scheme", "https"}, {":authority", s.host}, {"a", "b"}, {":path", "/secret"}},
		"unknown pseudo field": s.asking("GET", "/secret", [2]string{":protected", "no"}),
		"status":               s.asking("GET", "/secret", [2]string{":status", "200"}),
		"capitals":             s.asking("GET", "/secret", [2]string{"X-Forwarded-Uri", "/public"}),
		"another authority":    {{":method", "GET"}, {":scheme", "https"}, {":authority", "evil.com"}, {":path", "/secret"}},
		"host beside":          s.asking("GET", "/secret", [2]string{"host", "evil.com"}),
		"websocket":            {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "https"}, {":authority", s.host}, {":path", "/secret/ws"}},
		"another protocol":     {{":method", "CONNECT"}, {":protocol", "connect-udp"}, {":scheme", "https"}, {":authority", s.host}, {":path", "/secret"}},
		"tunnel":               {{":method", "CONNECT"}, {":authority", s.app.address()}},
		"protocol without it":  s.asking("GET", "/secret", [2]string{":protocol", "websocket"}),
		"upgrade":              s.asking("GET", "/secret/ws", [2]string{"upgrade", "websocket"}, [2]string{"connection", "upgrade"}),
	} {
		o := s.outcome2("guest", fields, "")
		if err := errors.Join(untouched(o), noRedirectAway(o)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if o.answer.status >= 200 && o.answer.status < 300 && len(o.answer.body) > 0 {
			t.Errorf("%s: %d %q", what, o.answer.status, o.answer.body)
		}
	}
	if o := s.outcome2("guest", s.asking("GET", "/public"), ""); onlyOurs(o) != nil {
		t.Errorf("the guest page is closed: %d", o.answer.status)
	}
}

// TestHTTP2Identity: browsers split cookies into crumbs there, and clients may
// send fields in any order. The application hears of one user in one line.
func TestHTTP2Identity(t *testing.T) {
	s := serve(t, "guest", overTLS)
	session := s.anybody("alice")
	own := session[0] + "=" + session[1]
	evil := "user=" + tornado.Sign([]byte(cookieSecret), "user", "bob", time.Now())
	crumbs := func(list ...string) (fields [][2]string) {
		for _, crumb := range list {
			fields = append(fields, [2]string{"cookie", crumb})
		}
		return fields
	}
	for what, more := range map[string][][2]string{
		"one line":              crumbs(own + "; " + evil + "; a=b"),
		"crumbs":                crumbs("a=b", evil, own, "c=d", evil),
		"crumbs of two":         crumbs(evil+"; a=b", own+"; "+evil),
		"a crumb with a comma":  crumbs("a=b,"+evil, own),
		"a crumb with a blank":  crumbs("a=b "+evil, own),
		"a name in two crumbs":  crumbs("us", "er="+evil, own),
		"a quote in two crumbs": crumbs(`a="b`, evil, own, `c"`),
		"semicolons":            crumbs(";;"+evil+";;", own+";"),
		"a header":              append(crumbs(own), [2]string{"x-forwarded-user", "bob"}, [2]string{"x_forwarded_user", "bob"}, [2]string{"remote.user", "bob"}),
		"trailers allowed":      append(crumbs(own), [2]string{"te", "trailers"}, [2]string{"trailer", "x-forwarded-user"}),
	} {
		for user, path := range map[string]string{"alice": "/app", "guest": "/public"} {
			fields := more
			if user == "guest" {
				fields = nil
				for _, field := range more {
					fields = append(fields, [2]string{field[0], string(bytes.ReplaceAll([]byte(field[1]), []byte(own), []byte("x=y")))})
				}
			}
			for _, trailers := range [][][2]string{nil, {{"x-forwarded-user", "bob"}, {"remote-user", "bob"}, {"cookie", evil}}} {
				o := s.outcome2(user, s.asking("POST", path, fields...), "body", trailers...)
				if err := onlyOurs(o); err != nil {
					t.Errorf("%s, %d trailers, for %s: %v", what, len(trailers), user, err)
				}
			}
		}
	}
	for what, fields := range map[string][][2]string{
		"another authority": s.asking("GET", "/app", append(crumbs(own), [2]string{"host", "evil.com"})...),
		"connection":        s.asking("GET", "/app", append(crumbs(own), [2]string{"connection", "x-forwarded-user, cookie"})...),
		"line ends":         s.asking("GET", "/app", append(crumbs(own), [2]string{"a", "b\r\nx-forwarded-user: bob"})...),
		"too many":          s.asking("GET", "/app", crumbs(append(make([]string, 1500), own, evil)...)...),
	} {
		o := s.outcome2("alice", fields, "")
		if len(o.app) > 0 && onlyOurs(o) != nil {
			t.Errorf("%s: %v", what, onlyOurs(o))
		}
	}
}

// TestHTTP2Websockets: extended CONNECT asks who comes, and where from, like an
// upgrade.
func TestHTTP2Websockets(t *testing.T) {
	if !withExtendedConnect(t) {
		return
	}
	s := serve(t, "guest", overTLS)
	session := s.anybody("alice")
	opening := func(path string, more ...[2]string) [][2]string {
		return append([][2]string{{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "https"}, {":authority", s.host}, {":path", path}, {"sec-websocket-version", "13"}}, more...)
	}
	own := [2]string{"cookie", session[0] + "=" + session[1]}
	evil := [2]string{"cookie", "user=" + tornado.Sign([]byte(cookieSecret), "user", "bob", time.Now())}
	for what, test := range map[string]struct {
		fields [][2]string
		status int
	}{
		"nobody":               {opening("/app/ws", [2]string{"origin", s.base()}), http.StatusUnauthorized},
		"nobody, a disguise":   {opening("/public/../secret/ws"), http.StatusUnauthorized},
		"nobody, a query":      {opening("/secret/ws?x=/public/ws"), http.StatusUnauthorized},
		"another site":         {opening("/app/ws", own, [2]string{"origin", "https://evil.com"}), http.StatusForbidden},
		"another site, nobody": {opening("/public/ws", [2]string{"origin", "https://evil.com"}), http.StatusForbidden},
		"two origins":          {opening("/app/ws", own, [2]string{"origin", s.base()}, [2]string{"origin", "https://evil.com"}), http.StatusForbidden},
		"by HTTP":              {opening("/app/ws", own, [2]string{"origin", "http://" + s.host}), http.StatusForbidden},
		"accepts pages":        {opening("/app/ws", [2]string{"accept", "text/html"}, [2]string{"sec-fetch-mode", "navigate"}), http.StatusUnauthorized},
		"at our own endpoint":  {opening("/login", own), http.StatusMethodNotAllowed},
	} {
		o := s.outcome2("alice", test.fields, "")
		if o.answer.status != test.status || len(o.app) > 0 || o.answer.location() != "" {
			t.Errorf("%s: %d to %q, and the application got %d", what, o.answer.status, o.answer.location(), len(o.app))
		}
	}
	for user, fields := range map[string][][2]string{
		"alice": opening("/app/ws", evil, own, [2]string{"x_forwarded_user", "bob"}, [2]string{"origin", s.base()}),
		"guest": opening("/public/ws", evil, [2]string{"x-forwarded-user", "bob"}),
	} {
		if o := s.outcome2(user, fields, ""); onlyOurs(o) != nil {
			t.Errorf("%s: %v", user, onlyOurs(o))
		}
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
