// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package panelauth

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// generator makes inputs that are almost good, of the parts by which parsers
// are known to differ.
type generator struct{ *rand.Rand }

func (g *generator) one(of []string) string { return of[g.IntN(len(of))] }

// chance is true once in n.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

// oddities are pieces that mean more to one reader than to another.
var oddities = []string{
	"/", "//", `\`, "/../", "/./", "..", ".", ";", ";x=1", "%2f", "%2F", "%5c", "%2e", "%2E%2e", "%3b", "%00", "%", "%25", "%252f", "%3f", "%23",
	"?", "#", "?next=/admin", "\t", "%09", "%0a", "%0d%0a", "%20", " ", "+", "é", "\u3002", "\uff0f", "%C3%A9", "%c0%af", "%u002f", "\xff", "\xa0", "\x85", "\x7f",
	"@", ":", "|", "*", "~", "$", "&", "=", ",", "'", `"`, "<", "[", "]", "^", "{", "admin", "/admin", "app", "evil.com", "//evil.com", "http:", "javascript:", "A", "%41", "%61",
}

// mutated is a text with up to three changes.
func (g *generator) mutated(text string) string {
	for range g.IntN(4) {
		at := g.IntN(len(text) + 1)
		switch g.IntN(6) {
		case 0:
			text = text[:at] + string([]byte{byte(g.IntN(256))}) + text[at:]
		case 1:
			text = text[:at] + fmt.Sprintf("%%%02x", g.IntN(256)) + text[at:]
		case 2:
			text = text[:at] + text[min(at+1, len(text)):]
		case 3:
			text = g.respelled(text, at)
		default:
			text = text[:at] + g.one(oddities) + text[at:]
		}
	}
	return text
}

// respelled is a text with another spelling of one of its characters.
func (g *generator) respelled(text string, at int) string {
	if at >= len(text) {
		return strings.ToUpper(text)
	}
	spelled := fmt.Sprintf("%%%02X", text[at])
	if g.chance(2) {
		spelled = string(text[at] ^ 0x20)
	}
	return text[:at] + spelled + text[at+1:]
}

var pages = []string{
	"/app", "/app/", "/app/ws", "/app/autoload.js", "/app/metadata", "/app/static/x.js", "/favicon.ico", "/static/js/bokeh.min.js", "/tree", "/tree/", "/tree/x/y",
	"/tree/a b", "/tree/x;y", "/app?x=1", "/tree/x?a=/b&c=..", "/", "/admin", "/app/admin", "/tree/../admin", "http://127.0.0.1/app", "*",
}

func (g *generator) target() string {
	target := g.mutated(g.one(pages))
	return strings.NewReplacer(" ", "%20", "\r", "", "\n", "").Replace(target) // or it is another request
}

// next is an address to return to.
func (g *generator) next() string {
	next := g.mutated(g.one([]string{"/", "/app", "/app/x?q=a//b#c", "/a/b/c", "/caf\u00e9", "/a%20b?x=%2F&y=100%25", "//evil.com", `/\evil.com`, "/login", "https://evil.com/", "/a?next=//evil.com"}))
	if g.chance(50) {
		next = strings.Repeat(next, 1+g.IntN(400))
	}
	return next
}

// requests are some as they go over the wire.
func (g *generator) requests(n int, session string) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = g.request(session)
	}
	return all
}

func (g *generator) request(session string) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", g.target())
	lines := []string{}
	if g.chance(2) {
		lines = append(lines, "Cookie: "+session+g.separator()+g.cookies())
	}
	for range g.IntN(3) {
		lines = append(lines, g.one([]string{"Cookie", "cookie", "COOKIE", "Cookie2"})+": "+g.cookies())
	}
	for range g.IntN(4) {
		lines = append(lines, g.header())
	}
	g.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	for _, line := range lines {
		text.WriteString(line + "\r\n")
	}
	text.WriteString("\r\n")
	return text.Bytes()
}

var (
	cookieNames = []string{
		"user", "id_token", "access_token", "refresh_token", "oauth_expiry", "is_guest", "next_url", "panel-oauth-state", "panelauth", "panelauth_1",
		"__Host-panelauth", "__Secure-panelauth", "theme", "lang", "_ga", "User", "us\u0435r", "user2", "",
	}
	// Caddy refuses control characters by itself.
	aroundCookies = []string{
		" ", "\t", "\xa0", "\u00a0", "\u2003", "\u2028", "\x85", "\x80", "\ufeff", `"`, "'", "=", "==", ",", "$", "\\", "%20", "%75", "+", "\xff", "\xc2",
	}
	cookieValues = []string{
		"", "x", "mallory", "1", `"mallory"`, `"m\141llory"`, `"a; user=mallory; b"`, "a,user=mallory", "a user=mallory", "a\tuser=mallory", `"unclosed`, `a"b"`, `"\"`, `"\0"`, "%6d", "a=b=c", "\xff\xfe", "\u00fc",
	}
	separators = []string{"; ", ";", ";;", " ; ", ";\t", ", ", "; ;", ";\xa0", "; $Path=/; "}

	// signedMallory is what an application would believe.
	signedMallory = tornado.Sign([]byte(differentialSecret), "user", "mallory", time.Now())
)

func (g *generator) separator() string {
	if g.chance(3) {
		return g.one(separators)
	}
	return "; "
}

// cookies are the value of a Cookie header.
func (g *generator) cookies() string {
	var line strings.Builder
	for range g.IntN(6) {
		line.WriteString(g.around() + g.one(cookieNames) + g.around())
		if !g.chance(10) {
			line.WriteString("=" + g.around() + g.cookieValue() + g.around())
		}
		line.WriteString(g.separator())
	}
	return withoutLineBreaks(line.String())
}

// around is mostly nothing.
func (g *generator) around() string {
	if g.chance(4) {
		return g.one(aroundCookies)
	}
	return ""
}

func (g *generator) cookieValue() string {
	if g.chance(3) {
		return signedMallory
	}
	return g.one(cookieValues)
}

var headers = []string{
	"Remote-User: mallory", "Remote-Name: Mallory", "Remote-Email: m@example.com", "Remote-Groups: admins", "Remote-User:", "Remote-User: maria", "Remote-User: guest",
	"Connection: keep-alive, Remote-User", "Connection: Cookie", "Connection: keep-alive, cookie, remote_user", "Keep-Alive: Remote-User", "Proxy-Connection: Cookie", "TE: trailers, Cookie",
	"Trailer: Remote-User", "X-Other: a\r\n Remote-User: mallory", "X-Other: a\r\n\tb", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", "X-Original-URL: /admin", "X-Rewrite-URL: /admin",
	"X-HTTP-Method-Override: POST", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-User: mallory", "Authorization: Basic bWFsbG9yeTp4", "Accept: text/html", "Content-Type: x\r\n Cookie: user=mallory",
}

func (g *generator) header() string {
	header := g.one(headers)
	name, value, _ := strings.Cut(header, ":")
	switch g.IntN(7) {
	case 0:
		name = strings.ReplaceAll(name, "-", g.one([]string{"_", ".", "~", "+", "!", "'", "*", "--", "-_", ""}))
	case 1:
		name = g.one([]string{strings.ToUpper(name), strings.ToLower(name), strings.Title(name)}) //nolint:staticcheck // the names are ASCII
	case 2:
		at := g.IntN(len(name) + 1)
		name = name[:at] + g.one([]string{"-", "_", ".", "~", "|", "^", "`", "0", " "}) + name[at:]
	}
	return name + ":" + value
}

func withoutLineBreaks(text string) string {
	return strings.NewReplacer("\r", "", "\n", "").Replace(text)
}

// respelledSigned changes a signed value a little, or signs what it should not.
func (g *generator) respelledSigned(signed string) string {
	at := g.IntN(len(signed))
	switch g.IntN(4) {
	case 0:
		return signed[:at] + g.one([]string{"|", ":", "0", "=", "A", "-", "%"}) + signed[at:]
	case 1:
		return signed[:at] + signed[at+1:]
	case 2:
		return tornado.Sign([]byte(differentialSecret), "id_token", "maria", time.Now())
	}
	return tornado.Sign([]byte(differentialSecret), "user", "maria", time.Now().Add(time.Duration(g.IntN(100)-50)*24*time.Hour))
}
