// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// patience is how long a test waits for what has to happen. It is long because
// machines that run tests are slow at times; nothing waits for it in vain.
const patience = 30 * time.Second

// request is what is sent. Headers and cookies keep their order and their
// doubles. Raw, where there is one, is all of it.
type request struct {
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Headers [][2]string `json:"headers"`
	Cookies [][2]string `json:"cookies"`
	Body    string      `json:"body"`
	Raw     string      `json:"raw"`
}

func get(path string, headers ...[2]string) request {
	return request{Method: http.MethodGet, Path: path, Headers: headers}
}

// form is what a page of another browser than ours posts: it says nothing of
// where it comes from.
func form(path string, fields url.Values) request {
	return request{
		Method: http.MethodPost, Path: path, Body: fields.Encode(),
		Headers: [][2]string{{"Content-Type", "application/x-www-form-urlencoded"}},
	}
}

func (q request) with(name, value string) request {
	q.Headers = append(q.Headers[:len(q.Headers):len(q.Headers)], [2]string{name, value})
	return q
}

// as adds the cookies of somebody.
func (q request) as(cookies ...[2]string) request {
	q.Cookies = append(q.Cookies[:len(q.Cookies):len(q.Cookies)], cookies...)
	return q
}

// page makes a request one that a browser sends for a page.
func (q request) page() request {
	return q.with("Accept", "text/html,*/*;q=0.8").with("Sec-Fetch-Mode", "navigate").with("Sec-Fetch-Dest", "document")
}

func (q request) has(header string) bool {
	for _, field := range q.Headers {
		if strings.EqualFold(field[0], header) {
			return true
		}
	}
	return false
}

// bytes are the request on the wire. Nothing in them is put right.
func (q request) bytes(host string) string {
	if q.Raw != "" {
		return q.Raw
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", q.Method, q.Path, host)
	for _, field := range q.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", field[0], field[1])
	}
	if len(q.Cookies) > 0 {
		pairs := make([]string, len(q.Cookies))
		for i, cookie := range q.Cookies {
			pairs[i] = cookie[0] + "=" + cookie[1]
		}
		fmt.Fprintf(&b, "Cookie: %s\r\n", strings.Join(pairs, "; "))
	}
	if !q.has("Connection") {
		b.WriteString("Connection: close\r\n")
	}
	if q.Body != "" || q.Method == http.MethodPost {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(q.Body))
	}
	b.WriteString("\r\n" + q.Body)
	return b.String()
}

// answer is what comes back. Status 0 means that the connection was closed
// without one.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) location() string { return a.header.Get("Location") }

// cookie is the value of a cookie that the answer sets, or "".
func (a answer) cookie(name string) string {
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if cookie.Name == name && cookie.MaxAge >= 0 {
			return cookie.Value
		}
	}
	return ""
}

// clears reports whether the answer deletes a cookie.
func (a answer) clears(name string) bool {
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if cookie.Name == name && cookie.MaxAge < 0 {
			return true
		}
	}
	return false
}

// cookies are what the answer sets, as a browser without any would send them.
func (a answer) cookies() (all [][2]string) {
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if cookie.MaxAge >= 0 {
			all = append(all, [2]string{cookie.Name, cookie.Value})
		}
	}
	return all
}

var errNoAnswer = errors.New("the connection was closed without an answer")

// dial connects to a site as a client that knows its address and its name.
func (s *site) dial() (net.Conn, error) {
	dialer := &net.Dialer{Timeout: patience}
	if !s.secure {
		return dialer.Dial("tcp", s.address)
	}
	name, _, _ := net.SplitHostPort(s.host)
	return tls.DialWithDialer(dialer, "tcp", s.address, &tls.Config{ServerName: name, InsecureSkipVerify: true})
}

// exchange sends bytes and reads one answer. The connection stays open for who
// wants to go on with it.
func (s *site) exchange(sent, method string) (answer, net.Conn, *bufio.Reader, error) {
	conn, err := s.dial()
	if err != nil {
		return answer{}, nil, nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	// A server may answer and hang up before it has read everything.
	go func() { _, _ = io.WriteString(conn, sent) }()
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		return answer{}, conn, reader, errNoAnswer
	}
	a := answer{status: response.StatusCode, header: response.Header}
	if response.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(response.Body)
		a.body = string(body)
	}
	return a, conn, reader, nil
}

// send sends a request and returns the answer.
func (s *site) send(q request) answer {
	s.t.Helper()
	sent := q.bytes(s.host)
	method, _, _ := strings.Cut(sent, " ")
	a, conn, _, err := s.exchange(sent, method)
	if conn == nil {
		s.t.Fatalf("connecting: %v", err)
	}
	defer func() { _ = conn.Close() }()
	return a
}
