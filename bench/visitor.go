// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// What people sign in with, and what cookies are signed with.
const (
	password     = "correct horse battery"
	cookieSecret = "the-cookie-secret-of-the-benchmark"
)

// browserHeaders are those of a browser, as they come over the wire for a page.
var browserHeaders = []string{
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
	"Accept-Encoding: gzip, deflate, br, zstd",
	"Accept-Language: en-GB,en;q=0.9,de;q=0.8",
	"Connection: keep-alive",
	"Priority: u=0, i",
	"Sec-Fetch-Dest: document",
	"Sec-Fetch-Mode: navigate",
	"Sec-Fetch-Site: same-origin",
	"Sec-Fetch-User: ?1",
	"Upgrade-Insecure-Requests: 1",
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}

var socketHeaders = []string{
	"Connection: Upgrade",
	"Upgrade: websocket",
	"Sec-WebSocket-Version: 13",
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	"Sec-WebSocket-Protocol: bokeh",
}

// foreignCookies are those of others on the same host.
const foreignCookies = "_ga=GA1.1.1234567890.1790000000; theme=dark"

// get is a request as a browser sends it.
func get(address, path string, headers ...string) []byte {
	return wire("GET", address, path, "", append(browserHeaders[:len(browserHeaders):len(browserHeaders)], headers...))
}

// openSocket is the opening of a websocket by a page of the same site.
func openSocket(address, path string, headers ...string) []byte {
	headers = append(headers, "Origin: http://"+address)
	return wire("GET", address, path, "", append(socketHeaders[:len(socketHeaders):len(socketHeaders)], headers...))
}

// signIns are the forms of some people.
func signIns(address string, users int) [][]byte {
	forms := make([][]byte, users)
	for i := range forms {
		body := credentials(user(i)).Encode()
		forms[i] = wire("POST", address, "/login", body, append([]string{
			"Content-Type: application/x-www-form-urlencoded",
			fmt.Sprint("Content-Length: ", len(body)),
			"Origin: http://" + address,
		}, browserHeaders...))
	}
	return forms
}

func user(i int) string { return fmt.Sprint("user", i) }

func credentials(user string) url.Values {
	return url.Values{"username": {user}, "password": {password}}
}

func wire(method, address, path, body string, headers []string) []byte {
	var request bytes.Buffer
	fmt.Fprintf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, address)
	for _, header := range headers {
		request.WriteString(header + "\r\n")
	}
	request.WriteString("\r\n" + body)
	return request.Bytes()
}

// signedIn signs somebody in and returns the Cookie header of the session.
func signedIn(address string) (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	visitor := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := visitor.PostForm("http://"+address+"/login", credentials(user(0)))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close() //nolint:errcheck // nothing of it is read
	cookies := jar.Cookies(&url.URL{Scheme: "http", Host: address, Path: "/"})
	if len(cookies) == 0 {
		return "", fmt.Errorf("signing in: %s", answer.Status)
	}
	line := []string{foreignCookies}
	for _, cookie := range cookies {
		line = append(line, cookie.Name+"="+cookie.Value)
	}
	return "Cookie: " + strings.Join(line, "; "), nil
}

// basicAuthorization is what a browser sends to basic_auth.
func basicAuthorization() string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user(0)+":"+password))
}
