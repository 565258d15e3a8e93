// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// ours are the headers of a good answer.
func ours(more ...string) http.Header {
	h := http.Header{
		"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}, "Referrer-Policy": {"same-origin"},
		"Content-Type":            {"text/html; charset=utf-8"},
		"Content-Security-Policy": {"default-src 'none'; style-src 'sha256-x'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"},
	}
	for i := 0; i < len(more); i += 2 {
		if more[i+1] == "" {
			h.Del(more[i])
		} else {
			h.Set(more[i], more[i+1])
		}
	}
	return h
}

// arrived is a request that reached the application, with these header lines.
func arrived(lines ...string) []received {
	r := received{line: "GET /app HTTP/1.1", raw: "GET /app HTTP/1.1\r\n\r\n"}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.fields = append(r.fields, [2]string{name, value})
	}
	return []received{r}
}

// TestJudges shows that each judge lets a good outcome pass and fails bad ones.
// A judge that nothing can fail would be worse than none.
func TestJudges(t *testing.T) {
	session := "panelauth"
	signed := func(user string) string {
		return "user=" + tornado.Sign([]byte(cookieSecret), "user", user, time.Now())
	}
	toLogin := answer{status: 302, header: ours("Location", "/login?next=%2Fapp", "Content-Type", "")}
	page := func(status int, body string, more ...string) answer {
		return answer{status: status, header: ours(more...), body: "<html>" + body}
	}
	gone := "panelauth=; Path=/; Max-Age=0"
	names := []string{"X-Forwarded-User: alice", "X-Auth-Request-User: alice", "X-Webauth-User: alice", "X-Panel-User: alice"}
	identity := func(more ...string) []received { return arrived(append(append([]string{}, names...), more...)...) }
	usual := page(401, "Invalid", "Date", "today")

	tests := map[string]struct {
		good []outcome
		bad  map[string]outcome
	}{
		"closed": {
			[]outcome{{answer: toLogin}, {answer: page(401, "sign in")}, {answer: answer{status: 400}}},
			map[string]outcome{
				"reached":         {answer: toLogin, app: arrived()},
				"let in":          {answer: page(200, theApplication)},
				"a session":       {answer: answer{status: 303, header: ours("Set-Cookie", "panelauth=x; Path=/", "Location", "/")}},
				"switched":        {answer: answer{status: 101}},
				"broken":          {answer: page(500, "")},
				"hung up":         {answer: answer{}},
				"led away":        {answer: answer{status: 302, header: ours("Location", "//evil.com")}},
				"cached":          {answer: answer{status: 302, header: ours("Location", "/login", "Cache-Control", "")}},
				"cached for all":  {answer: page(401, "", "Cache-Control", "public")},
				"sniffed":         {answer: page(401, "", "X-Content-Type-Options", "")},
				"told on":         {answer: page(401, "", "Referrer-Policy", "unsafe-url")},
				"without policy":  {answer: page(401, "", "Content-Security-Policy", "")},
				"inline":          {answer: page(401, "", "Content-Security-Policy", ours().Get("Content-Security-Policy")+"; script-src 'unsafe-inline'")},
				"framed anywhere": {answer: page(401, "", "Content-Security-Policy", "default-src 'none'; form-action 'self'; base-uri 'none'")},
			},
		},
		"method refused": {
			[]outcome{{answer: page(405, "")}},
			map[string]outcome{"answered": {answer: page(200, "")}, "reached": {answer: page(405, ""), app: arrived()}, "another refusal": {answer: page(401, "")}},
		},
		"bad request": {
			[]outcome{{answer: answer{status: 400}}, {answer: answer{status: 505}}},
			map[string]outcome{"answered": {answer: answer{status: 401}}, "reached": {answer: answer{status: 400}, app: arrived()}, "hung up": {}},
		},
		"forbidden": {
			[]outcome{{answer: page(403, "")}},
			map[string]outcome{"signed in": {answer: toLogin}, "reached": {answer: page(403, ""), app: arrived()}},
		},
		"host refused": {
			[]outcome{{answer: answer{status: 400}}, {answer: answer{status: 421}}},
			map[string]outcome{"sent on": {answer: answer{status: 302, header: ours("Location", "https://provider/?redirect_uri=https://evil.com")}}, "a page": {answer: page(200, "")}},
		},
		"only ours": {
			[]outcome{{user: "alice", app: identity("Cookie: a=b; "+signed("alice"), "Accept: x")}, {user: "guest", app: arrived(
				"X-Forwarded-User: guest", "X-Auth-Request-User: guest", "X-Webauth-User: guest", "X-Panel-User: guest", "Cookie: is_guest=1")}},
			map[string]outcome{
				"nothing":           {user: "alice", answer: toLogin},
				"another":           {user: "alice", app: arrived("X-Forwarded-User: admin", names[1], names[2], names[3], "Cookie: "+signed("alice"))},
				"one more":          {user: "alice", app: identity("X-Forwarded-User: admin", "Cookie: "+signed("alice"))},
				"the same twice":    {user: "alice", app: identity("X-Forwarded-User: alice", "Cookie: "+signed("alice"))},
				"with underscores":  {user: "alice", app: identity("X_Forwarded_User: admin", "Cookie: "+signed("alice"))},
				"with dots":         {user: "alice", app: identity("x.forwarded.user: admin", "Cookie: "+signed("alice"))},
				"without claim":     {user: "alice", app: identity("X-Forwarded-Groups: admins", "Cookie: "+signed("alice"))},
				"by default":        {user: "alice", app: identity("Remote-User: admin", "Cookie: "+signed("alice"))},
				"missing":           {user: "alice", app: arrived("X-Forwarded-User: alice", "Cookie: "+signed("alice"))},
				"no cookie":         {user: "alice", app: identity()},
				"two lines":         {user: "alice", app: identity("Cookie: a=b", "Cookie: "+signed("alice"))},
				"two users":         {user: "alice", app: identity("Cookie: " + signed("alice") + "; " + signed("bob"))},
				"another's cookie":  {user: "alice", app: identity("Cookie: " + signed("bob"))},
				"an unsigned one":   {user: "alice", app: identity("Cookie: user=alice")},
				"a hidden one":      {user: "alice", app: identity("Cookie: user\xa0=evil; " + signed("alice"))},
				"a quoted one":      {user: "alice", app: identity("Cookie: \"user\"=evil; " + signed("alice"))},
				"a nameless one":    {user: "alice", app: identity("Cookie: =user=evil; " + signed("alice"))},
				"a token":           {user: "alice", app: identity("Cookie: refresh_token=evil; " + signed("alice"))},
				"our own":           {user: "alice", app: identity("Cookie: panelauth=x; " + signed("alice"))},
				"our own, prefixed": {user: "alice", app: identity("Cookie: __Host-panelauth=x; " + signed("alice"))},
				"no guest":          {user: "guest", app: identity("Cookie: is_guest=1")},
				"a trailer": {user: "alice", app: []received{{raw: "POST / HTTP/1.1\r\n\r\n0\r\nX-Forwarded-User: admin\r\n\r\n",
					fields: identity("Cookie: " + signed("alice"))[0].fields}}},
			},
		},
		"unmoved": {
			[]outcome{{answer: page(200, "x"), usual: page(200, "x")}},
			map[string]outcome{
				"page":     {answer: page(200, "x"), usual: page(200, "y")},
				"cookie":   {answer: page(200, "x", "Set-Cookie", "a=b; Secure"), usual: page(200, "x", "Set-Cookie", "a=b")},
				"location": {answer: answer{status: 302, header: ours("Location", "https://evil.com")}, usual: toLogin},
				"status":   {answer: answer{status: 200}, usual: answer{status: 302}},
			},
		},
		"no session": {
			[]outcome{{answer: answer{status: 302, header: ours("Location", "/login", "Set-Cookie", gone)}}},
			map[string]outcome{
				"kept":    {answer: toLogin},
				"renewed": {answer: answer{status: 302, header: ours("Location", "/login", "Set-Cookie", "panelauth=new")}},
				"let in":  {answer: page(200, theApplication, "Set-Cookie", gone), app: arrived()},
				"broken":  {answer: page(500, "", "Set-Cookie", gone)},
			},
		},
		"nothing asked": {
			[]outcome{{answer: page(401, `<a href="/login">`)}},
			map[string]outcome{
				"asked":      {answer: page(401, `<a href="/login">`), asked: 1},
				"a session":  {answer: page(401, `<a href="/login">`, "Set-Cookie", "panelauth=x")},
				"a loop":     {answer: toLogin},
				"a dead end": {answer: page(401, "no")},
			},
		},
		"wrong password": {
			[]outcome{{answer: usual, usual: usual}, {answer: page(401, "Invalid", "Date", "tomorrow"), usual: usual}},
			map[string]outcome{
				"signed in":      {answer: answer{status: 303, header: ours("Set-Cookie", "panelauth=x", "Location", "/")}, usual: usual},
				"another page":   {answer: page(401, "Locked"), usual: usual},
				"another header": {answer: page(401, "Invalid", "X-User", "known"), usual: usual},
				"another cookie": {answer: page(401, "Invalid", "Set-Cookie", "tried=1"), usual: usual},
			},
		},
		"not shown": {
			[]outcome{{answer: page(200, "sign in")}},
			map[string]outcome{
				"a script":    {answer: page(200, "<script>x</script>")},
				"escaped":     {answer: page(200, "&lt;script&gt;alert(1)")},
				"a handler":   {answer: page(200, `<p onclick="x()">`)},
				"an address":  {answer: page(200, `<a href="javascript:x()">`)},
				"a picture":   {answer: page(200, `<img src=x>`)},
				"plain text":  {answer: page(200, "", "Content-Type", "text/plain")},
				"no policy":   {answer: page(200, "", "Content-Security-Policy", "")},
				"a template":  {answer: page(200, "{{7*7}}")},
				"error pages": {answer: page(500, "")},
			},
		},
		"stays here": {
			[]outcome{{answer: answer{status: 303, header: ours("Location", "/app?q=//x")}}, {answer: page(200, `<a href="/login?next=//evil.com">`)}},
			map[string]outcome{
				"two slashes":     {answer: answer{status: 303, header: ours("Location", "//evil.com")}},
				"a backslash":     {answer: answer{status: 303, header: ours("Location", `/\evil.com`)}},
				"a tab":           {answer: answer{status: 303, header: http.Header{"Location": {"/\t/evil.com"}}}},
				"a scheme":        {answer: answer{status: 303, header: ours("Location", "https:evil.com")}},
				"a script":        {answer: answer{status: 303, header: ours("Location", "javascript:x")}},
				"a link":          {answer: page(200, `<a href="//evil.com">`)},
				"a field":         {answer: page(200, `<input type="hidden" name="next" value="&#47;/evil.com">`)},
				"another port":    {answer: answer{status: 303, header: ours("Location", "http://app.example.com:1/")}},
				"another host":    {answer: answer{status: 303, header: ours("Location", "http://app.example.com.evil.com/")}},
				"a user at one":   {answer: answer{status: 303, header: ours("Location", "http://app.example.com@evil.com/")}},
				"the application": {app: arrived()},
			},
		},
		"no redirect away": {
			[]outcome{{answer: toLogin}, {answer: page(401, "")}},
			map[string]outcome{"away": {answer: answer{status: 301, header: ours("Location", "//evil.com/")}}, "hidden": {answer: answer{status: 308, header: ours("Location", `/\evil.com/`)}}},
		},
	}
	for name, judge := range judges {
		cases, known := tests[name]
		if !known {
			t.Errorf("nobody has judged %q", name)
		}
		prepare := func(o outcome) outcome {
			o.base, o.session = "http://app.example.com", session
			return o
		}
		for _, o := range cases.good {
			if err := judge(prepare(o)); err != nil {
				t.Errorf("%s finds fault with a good outcome: %v", name, err)
			}
		}
		for what, o := range cases.bad {
			if judge(prepare(o)) == nil {
				t.Errorf("%s does not notice: %s", name, what)
			}
		}
	}
}
