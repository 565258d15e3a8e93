// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// people are the accounts of the tests of rules.
const people = `{
	"alice": {"password": "pw", "groups": ["admins", "staff"], "email": "alice@example.com"},
	"bob": {"password": "pw", "groups": ["staff"], "email": "bob@example.org"},
	"Alice": {"password": "pw"},
	"al": {"password": "pw"},
	"*": {"password": "pw"},
	"a/b": {"password": "pw"},
	"..": {"password": "pw"},
	"[a-z]*": {"password": "pw"},
	"dot.ted@example.com": {"password": "pw"}
}`

// parseRule reads a rule from words: an action, matchers such as
// `path=["/a"]`, and the URL of a redirect.
func parseRule(line string) Rule {
	words := strings.Fields(line)
	rule := Rule{Action: words[0]}
	set := make(caddy.ModuleMap)
	for _, word := range words[1:] {
		name, value, ok := strings.Cut(word, "=")
		switch {
		case ok && !strings.HasPrefix(word, "/") && json.Valid([]byte(value)):
			set[name] = json.RawMessage(value)
		case strings.HasPrefix(word, "/") && rule.Action != "redirect" || len(set) == 0 && strings.HasPrefix(word, "/") && strings.Count(line, " /") > 1:
			set["path"] = json.RawMessage(fmt.Sprintf("[%q]", word))
		default:
			rule.URL = word
		}
	}
	if len(set) > 0 {
		rule.MatcherSetsRaw = caddyhttp.RawMatcherSets{set}
	}
	return rule
}

func parseRules(lines string) (rules []Rule) {
	for line := range strings.SplitSeq(lines, ";") {
		if strings.TrimSpace(line) != "" {
			rules = append(rules, parseRule(line))
		}
	}
	return rules
}

func rulesOf(lines string) func(*Handler) {
	return func(h *Handler) { h.Authorize = &Authorize{Rules: parseRules(lines)} }
}

func newRulesSite(t testing.TB, lines string, more ...func(*Handler)) *site {
	t.Helper()
	return newSite(t, append([]func(*Handler){accountsFile(newFile(t, "users.json", people)), rulesOf(lines)}, more...)...)
}

// adminsOnly is Panel's second example: /admin for some, everything else for
// everybody.
const adminsOnly = `deny path=["/admin*"] not=[{"auth_user":["alice"]}]; allow`

// TestRules asks many rules about many paths, one user at a time.
func TestRules(t *testing.T) {
	tests := map[string]struct {
		rules, user     string
		allowed, denied string // paths
	}{
		"one page":                               {`allow /app`, "bob", "/app /app?x=1 /app/ /app/ws /app/autoload.js /app/metadata /app/static/x.css /static/js/bokeh.js /favicon.ico", "/ /apps /app/other /app/ws/x /ap /other/ws /other/static/x /ws /staticx /App /app/autoload.json"},
		"then nothing":                           {`allow /app; deny`, "bob", "/app /app/ws /app/static/x /static/js/bokeh.js", "/other /ws"},
		"tree":                                   {`allow /app/*`, "bob", "/app /app/ /app/x /app/x/ws /static/x", "/ /apps /application"},
		"prefix":                                 {`allow /app*`, "bob", "/app /apps /app/x", "/ /ap"},
		"root":                                   {`allow /`, "bob", "/ /ws /autoload.js /metadata /static/x /?a=b", "/app /app/ws /x/"},
		"everything":                             {`allow`, "bob", "/ /app /admin //x /a/../b /a%2fb /a;b", ""},
		"star":                                   {`allow path=["*"]`, "bob", "/ //x /a%2fb", ""},
		"denied page":                            {`deny /app; allow`, "bob", "/ /apps /app/x /static/x.js /ws", "/app /app/ /APP /app/ws /app/WS /app/autoload.js /app/metadata /app/static/x"},
		"denied tree":                            {`deny /app/*; allow`, "bob", "/ /apps", "/app /app/ /app/x /APP/x /app/static/x"},
		"denied suffix":                          {`deny path=["*.ipynb"]; allow`, "bob", "/a.txt", "/a.ipynb /a.ipynb/ /a.IPYNB /a/b.ipynb"},
		"in the middle":                          {`allow path=["/u/*/x"]`, "bob", "/u/a/x /u/a/x/ws", "/u/a/y /u/a/b/x /u//x"},
		"first decides":                          {`allow /a/ws; deny /a; deny /b/ws; allow /b; allow /c*`, "bob", "/a/ws /b /b/metadata /c", "/a /a/metadata /b/ws"},
		"no rule":                                {`deny /app`, "bob", "", "/ /app /static/x"},
		"user":                                   {`allow auth_user=["bob"]`, "bob", "/ /a%2fb", ""},
		"other user":                             {`allow auth_user=["bob"]`, "alice", "", "/ /static/x"},
		"case of a name":                         {`allow auth_user=["alice"]`, "Alice", "", "/"},
		"group":                                  {`allow /admin* auth_group=["admins"]; allow /user*`, "alice", "/admin /admin/ws /user /static/x", "/"},
		"not in group":                           {`allow /admin* auth_group=["admins"]; allow /user*`, "bob", "/user /user/ws", "/admin /admin/ws /admin/static/x"},
		"library is for whoever may open a page": {`allow /app auth_user=["alice"]`, "bob", "", "/static/x /favicon.ico /app"},
		"library can be closed":                  {`deny /static/secret/*; allow /app`, "bob", "/static/x", "/static/secret /static/secret/x"},
		"library is not what is left":            {`allow not=[{"path":["/static/*"]}]`, "bob", "/app", "/static/x"},
		"claim":                                  {`allow auth_claim={"email":["*@example.com"]}`, "alice", "/", ""},
		"other claim":                            {`allow auth_claim={"email":["*@example.com"]}`, "bob", "", "/"},
		"not a page":                             {`allow not=[{"path":["/admin"]}]`, "bob", "/ /user /adminx", "/admin /admin/ /ADMIN /admin/ws /admin/static/x /admin/metadata"},
		"expression":                             {`allow expression="path('/app*')&&auth_group('staff')"`, "bob", "/app /app/ws /app/x", "/ /a"},
		"expression of others":                   {`allow expression="path('/app*')&&auth_group('admins')"`, "bob", "", "/app /app/ws"},
		"expression that leaves a page out":      {`allow expression="!path('/admin')"`, "bob", "/ /user", "/admin /admin/ws /admin/static/x /admin/metadata"},
		"expression for denying":                 {`deny expression="path('/admin')"; allow`, "bob", "/ /user", "/admin /ADMIN /admin/ /admin/ws"},
		"regular expression":                     {`allow path_regexp={"pattern":"^/app$"}`, "bob", "/app /app/ws /static/x", "/ /apps"},
		"regular expression for denying":         {`deny path_regexp={"pattern":"^/app$"}; allow`, "bob", "/ /apps", "/app /app/ /app/ws /app/static/x"},
		"placeholder":                            {`allow path=["/u/{http.auth.user.id}/*"]`, "alice", "/u/alice /u/alice/x /u/alice/ws /static/x", "/u/ALICE/x /u/bob/x /u/ /u /u/alicex/"},
		"placeholder and case":                   {`allow path=["/u/{http.auth.user.id}/*"]`, "Alice", "/u/Alice/x", "/u/alice/x /u/ALICE/x"},
		"placeholder and dots":                   {`allow path=["/u/{http.auth.user.id}/*"]`, "dot.ted@example.com", "/u/dot.ted@example.com/x /u/dot.ted%40example.com/x", "/u/dotted@example.com/x"},
		"star for a name":                        {`allow path=["/u/{http.auth.user.id}/*"]`, "*", "", "/u/alice/x /u/*/x /u/x"},
		"glob for a name":                        {`allow path=["/u/{http.auth.user.id}/x"]`, "[a-z]*", "", "/u/alice/x"},
		"path for a name":                        {`allow path=["/u/{http.auth.user.id}/*"]`, "a/b", "", "/u/a/b/x /u/a/x"},
		"dots for a name":                        {`allow path=["/u/{http.auth.user.id}/*"]`, "..", "", "/u/../x /x /u/x /u/%2e%2e/x"},
		"others' pages, denied":                  {`deny path=["/u/*"] not=[{"path":["/u/{http.auth.user.id}/*"]}]; allow`, "*", "/x", "/u/alice/x"},
		"others' pages, case":                    {`deny path=["/u/*"] not=[{"path":["/u/{http.auth.user.id}/*"]}]; allow`, "Alice", "/u/Alice/x", "/u/alice/x"},
		"no such placeholder":                    {`allow path=["/u/{http.auth.user.team}*"]`, "alice", "", "/u/ /u/x"},
		"letters encoded":                        {`deny /admin*; allow`, "bob", "/%75ser", "/%61dmin /%41dmin /adm%69n/x"},
		"letters encoded twice":                  {`deny /admin*; allow`, "bob", "", "/%2561dmin /%25%36%31dmin"},
		"denied, hidden":                         {`deny /admin*; allow`, "bob", "/user", "//admin /./admin /x/../admin /x/%2e%2e/admin /x%2f..%2fadmin /x/..;/admin /admin;x /x;/../admin /%2fadmin /x%5c..%5cadmin /%5cadmin /x%00/../admin /user//x /user/%2e%2e/admin"},
		"allowed, hidden":                        {`allow /user/*`, "bob", "/user/x /user/%61", "/user/../admin /user/..%2fadmin /user/%2e%2e/admin /user/..;/admin /user//../admin /user/%2e%2e%2fadmin /user/x%2f..%2f..%2fadmin /user/..%5cadmin /user/%00 /user;/../admin"},
		"hidden, by who":                         {`deny auth_user=["alice"]; allow /x*; allow auth_user=["bob"]`, "bob", "/a%2fb //a", ""},
		"hidden, by who, denied":                 {`deny auth_user=["alice"]; allow /x*; allow auth_user=["bob"]`, "alice", "", "/a%2fb //a /x%2fb"},
		"hidden, left out":                       {`allow not=[{"path":["/admin*"]}]`, "bob", "/x", "//admin /x/../admin /%2fadmin"},
		"hidden, by expression":                  {`allow expression="!path('/admin*')"`, "bob", "/x", "//admin /x/%2e%2e/admin /;/admin"},
		"folders called static":                  {`allow /a; allow /a/static/b/static/c`, "bob", "/a/static/x /a/static/b/static/c/static/d", "/b/static/a/static/c"},
		"too many folders":                       {`deny /b; allow`, "bob", "", "/a/static/static/static/static/static/static/static/x"},
		"method":                                 {`allow method=["GET"]`, "bob", "/", ""},
		"alternatives":                           {`allow path=["/a","/b/*"] auth_user=["bob"]`, "bob", "/a /b /b/c /a/ws", "/c"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newRulesSite(t, test.rules)
			cookie := s.signIn(test.user, "pw")
			for _, path := range strings.Fields(test.allowed) {
				if a := s.serve(get(path, browser, cookieLine(cookie))); !a.reached {
					t.Errorf("%s: got %d", path, a.StatusCode)
				}
			}
			for _, path := range strings.Fields(test.denied) {
				for kind, option := range map[string]func(*http.Request){"page": browser, "websocket": websocket, "script": header("Sec-Fetch-Mode", "cors")} {
					a := s.serve(get(path, option, cookieLine(cookie)))
					if a.reached || a.StatusCode != http.StatusForbidden {
						t.Errorf("%s as %s: got %d", path, kind, a.StatusCode)
					}
				}
			}
		})
	}
}

func TestRulesSeeMethod(t *testing.T) {
	s := newRulesSite(t, `allow method=["GET","HEAD"]`)
	cookie := s.signIn("bob", "pw")
	s.serve(request(http.MethodHead, "/", cookieLine(cookie))).wantReached()
	for name, r := range map[string]*http.Request{
		"POST":     request(http.MethodPost, "/", cookieLine(cookie)),
		"override": request(http.MethodPost, "/", cookieLine(cookie), header("X-HTTP-Method-Override", "GET")),
	} {
		t.Run(name, func(t *testing.T) { s.in(t).serve(r).wantRefusedHere(http.StatusForbidden) })
	}
}

// TestRulesReadAsEverybody: what Caddy's matchers read in another way than an
// application may, or not at all, gets past no rule.
func TestRulesReadAsEverybody(t *testing.T) {
	const denied, queried = http.StatusForbidden, `deny query={"role":["admin"]}; allow`
	tests := map[string]struct {
		rules, target string
		option        func(*http.Request)
		allowed       bool
	}{
		"query":                           {queried, "/?role=user", nil, true},
		"query, denied":                   {queried, "/?x=1&role=admin", nil, false},
		"query, escaped":                  {queried, "/?%72ole=%61dmin", nil, false},
		"query, malformed":                {queried, "/?role=admin&x=%zz", nil, false},
		"query, semicolon":                {queried, "/?x=1;role=admin", nil, false},
		"query, semicolon after":          {queried, "/?role=admin;x=1", nil, false},
		"query, another parameter twice":  {queried, "/?a=1&a=2&ole=1&ole=2", nil, true},
		"query, twice the same":           {`allow query={"role":["user"]}`, "/?role=user&role=user", nil, true},
		"query, twice":                    {`allow query={"role":["user"]}`, "/?role=user&role=admin", nil, false},
		"query, left out":                 {`allow not=[{"query":{"role":["*"]}}]`, "/?x=1", nil, true},
		"query, left out, malformed":      {`allow not=[{"query":{"role":["*"]}}]`, "/?role=admin&x=%zz", nil, false},
		"query, by expression":            {`deny expression="{http.request.uri.query.role}=='admin'"; allow`, "/?role=admin;", nil, false},
		"query, by expression, twice":     {`allow expression="{http.request.uri.query.role}!='admin'"`, "/?role=a&role=admin", nil, false},
		"query, another expression":       {`allow expression="path('/*')"`, "/?x=100%;", nil, true},
		"method":                          {`deny method=["POST"]; allow`, "/", method("GET"), true},
		"method, denied":                  {`deny method=["POST"]; allow`, "/", method("POST"), false},
		"method, small letters":           {`deny method=["POST"]; allow`, "/", method("post"), false},
		"method, some small letters":      {`allow not=[{"method":["POST"]}]`, "/", method("Post"), false},
		"method, another one named":       {`deny method=["DELETE"]; allow`, "/", header("X-HTTP-Method-Override", "DELETE"), false},
		"method, by expression":           {`deny expression="{http.request.method}=='POST'"; allow`, "/", method("post"), false},
		"method, no rule looks at it":     {`allow /`, "/", method("post"), true},
		"host":                            {`deny host=["admin.example.com"]; allow`, "/", host("app.example.com:80"), true},
		"host, denied":                    {`deny host=["admin.example.com"]; allow`, "/", host("ADMIN.example.com"), false},
		"host, its full name":             {`deny host=["admin.example.com"]; allow`, "/", host("admin.example.com.:80"), false},
		"host, its full name, expression": {`deny expression="host('admin.example.com')"; allow`, "/", host("admin.example.com."), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newRulesSite(t, test.rules)
			r := get(test.target, cookieLine(s.signIn("bob", "pw")))
			if test.option != nil {
				test.option(r)
			}
			if a := s.serve(r); a.reached != test.allowed || !test.allowed && a.StatusCode != denied {
				t.Errorf("reached: %v, %d", a.reached, a.StatusCode)
			}
		})
	}
}

func method(name string) func(*http.Request) { return func(r *http.Request) { r.Method = name } }
func host(name string) func(*http.Request)   { return func(r *http.Request) { r.Host = name } }

// TestRulesSeeNoClaimsOfClients: what a client says about itself is gone before
// the rules look.
func TestRulesSeeNoClaimsOfClients(t *testing.T) {
	s := newRulesSite(t, `allow header={"Remote-Groups":["*admins*"]}; allow header={"Remote-User":["alice"]}; allow expression="{http.request.cookie.user}=='alice'"`, identityHeaders)
	cookie := s.signIn("bob", "pw")
	for name, option := range map[string]func(*http.Request){
		"groups":     header("Remote-Groups", "admins"),
		"user":       header("Remote-User", "alice"),
		"underscore": func(r *http.Request) { r.Header["Remote_user"] = []string{"alice"} },
		"cookie":     cookieLine("user=alice"),
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t).serve(get("/", option, cookieLine(cookie))).wantRefusedHere(http.StatusForbidden)
		})
	}
	s.serve(get("/", cookieLine(s.signIn("alice", "pw")))).wantUser("alice")
}

// TestRulesThatFail: an error is never a pass, whatever comes after it.
func TestRulesThatFail(t *testing.T) {
	s := newRulesSite(t, `deny expression="int({http.request.header.X})>1"; allow`)
	cookie := s.signIn("bob", "pw")
	recorder := newRecorder()
	r := prepared(get("/", cookieLine(cookie), header("X", "no number")))
	err := s.ServeHTTP(recorder, r, s.app)
	if handled, ok := err.(caddyhttp.HandlerError); !ok || handled.StatusCode != http.StatusInternalServerError { //nolint:errorlint // it is this very type that Caddy looks for
		t.Errorf("got %v", err)
	}
	if s.app.hits > 0 {
		t.Error("the request reached the application")
	}
	if user, ok := replacerOf(r).GetString("http.auth.user.id"); ok {
		t.Errorf("Caddy takes it for a request of %q", user)
	}
}

func TestRulesGuests(t *testing.T) {
	const lines = `redirect auth_guest={} path=["/admin*"] /login; redirect auth_guest={} path=["/old"] /welcome; deny path=["/admin*"] not=[{"auth_user":["alice"]}]; deny /closed; allow`
	s := newRulesSite(t, lines, optional)
	t.Run("open", func(t *testing.T) { s.in(t).serve(get("/user", browser)).wantUser(guestUser) })
	tests := map[string]struct {
		r        *http.Request
		status   int
		location string
	}{
		"to sign in":                  {get("/admin?x=1", browser), http.StatusFound, "/login?next=%2Fadmin%3Fx%3D1"},
		"to sign in, HEAD":            {request(http.MethodHead, "/admin", browser), http.StatusFound, "/login?next=%2Fadmin"},
		"elsewhere":                   {get("/old", browser), http.StatusFound, "/welcome"},
		"elsewhere, from a form":      {post("/old", nil), http.StatusSeeOther, "/welcome"},
		"websocket":                   {get("/admin/ws", websocket), http.StatusUnauthorized, ""},
		"script":                      {get("/admin", header("Sec-Fetch-Mode", "cors")), http.StatusUnauthorized, ""},
		"refused":                     {get("/closed", browser), http.StatusFound, "/login?next=%2Fclosed"},
		"refused websocket":           {get("/closed/ws", websocket), http.StatusUnauthorized, ""},
		"a path that hides something": {get("/x/../admin", browser), http.StatusFound, "/login?next=%2F"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := s.in(t).serve(test.r)
			a.wantRefusedHere(test.status)
			a.wantHeader("Location", test.location)
		})
	}
	t.Run("alice", func(t *testing.T) {
		s.in(t).serve(get("/admin", cookieLine(s.signIn("alice", "pw")))).wantUser("alice")
	})
	t.Run("bob", func(t *testing.T) {
		s.in(t).serve(get("/admin", browser, cookieLine(s.signIn("bob", "pw")))).wantRefusedHere(http.StatusForbidden)
	})
}

// TestGuestsAreNoUsers: a guest matches auth_guest alone, whatever claims ask.
func TestGuestsAreNoUsers(t *testing.T) {
	for _, line := range []string{
		`allow auth_user=["guest"]`, `allow auth_claim={"user":["*"]}`, `allow auth_claim={"username":["guest"]}`,
		`allow auth_group=["guest"]`, `allow expression="auth_user('guest')"`, `allow expression="!auth_guest()"`, `allow not=[{"auth_guest":{}}]`,
	} {
		t.Run(line, func(t *testing.T) {
			newRulesSite(t, line, optional).serve(get("/", browser)).wantRefusedHere(http.StatusFound)
		})
	}
	newRulesSite(t, `allow auth_guest={}`, optional).serve(get("/")).wantUser(guestUser)
	newRulesSite(t, `allow expression="auth_guest()"`, optional).serve(get("/")).wantUser(guestUser)
	// Rules open nothing that guests may not have anyway.
	newRulesSite(t, `allow`, guestPages("/welcome")).serve(get("/app", browser)).wantRefusedHere(http.StatusFound)
}

func TestRuleRedirects(t *testing.T) {
	tests := map[string]struct{ rules, target, location string }{
		"path":                       {`redirect /a /b?c=d#e; allow`, "/a?x=1", "/b?c=d#e"},
		"another site":               {`redirect /a https://other.example/x?y=z; allow`, "/a", "https://other.example/x?y=z"},
		"another site, no path":      {`redirect /a https://other.example; allow`, "/a", "https://other.example/"},
		"placeholder":                {`redirect path=["/a*"] /b{http.request.uri.path}; allow`, "/a/x%20y?q", "/b/a/x%20y"},
		"placeholder, two slashes":   {`redirect path=["/a*"] /b/{http.request.uri.path}; allow`, "/a/x", "/b/a/x"},
		"whole query":                {`redirect /a /b?{http.request.uri.query}; allow`, "/a?x=//y&z=1", "/b?x=//y&z=1"},
		"who":                        {`redirect path=["/"] /u/{http.auth.user.id}/; allow`, "/", "/u/bob/"},
		"next":                       {`redirect /a {http.request.uri.query.next}; allow`, "/a?next=/b", "/b"},
		"next, another site":         {`redirect /a {http.request.uri.query.next}; allow`, "/a?next=https://evil.example", ""},
		"next, no scheme":            {`redirect /a {http.request.uri.query.next}; allow`, "/a?next=//evil.example", "/evil.example"},
		"next, backslash":            {`redirect /a {http.request.uri.query.next}; allow`, "/a?next=/%5Cevil.example", ""},
		"next, tab":                  {`redirect /a {http.request.uri.query.next}; allow`, "/a?next=/%09/evil.example", ""},
		"next, script":               {`redirect /a {http.request.uri.query.next}; allow`, "/a?next=javascript:alert(1)", ""},
		"next, line end":             {`redirect /a /b?x={http.request.uri.query.next}; allow`, "/a?next=%0d%0aSet-Cookie:a=b", ""},
		"next, nothing":              {`redirect /a {http.request.uri.query.next}; allow`, "/a", ""},
		"next, encoded slashes":      {`redirect /a {http.request.uri.query.next}; allow`, "/a?next=/%252f%252fevil.example", ""},
		"after a host":               {`redirect /a https://other.example/{http.request.uri.query.next}; allow`, "/a?next=@evil.example/", "https://other.example/@evil.example/"},
		"after a host, a dot":        {`redirect /a https://other.example?{http.request.uri.query.next}; allow`, "/a?next=.evil.example", "https://other.example/?.evil.example"},
		"login":                      {`redirect /a /login; allow`, "/a?b", "/login?next=%2Fa%3Fb"},
		"login with a query":         {`redirect /a /login?next=/c; allow`, "/a", "/login?next=/c"},
		"everything":                 {`redirect /welcome; allow`, "/a", "/welcome"},
		"upper and lower case":       {`redirect /a /b; allow`, "/A", "/b"},
		"slash at the end":           {`redirect /a /b; allow`, "/a/", "/b"},
		"what hides something":       {`redirect /a /b; allow`, "/x/../a", ""},
		"what hides something, ever": {`redirect /b; allow`, "/x/../a", "/b"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newRulesSite(t, test.rules)
			a := s.serve(get(test.target, browser, cookieLine(s.signIn("bob", "pw"))))
			if test.location == "" {
				a.wantRefusedHere(http.StatusForbidden)
				return
			}
			a.wantRefusedHere(http.StatusFound)
			a.wantHeader("Location", test.location)
		})
	}
}

// TestRuleRedirectsEnd: a rule has no say over where it leads to.
func TestRuleRedirectsEnd(t *testing.T) {
	tests := map[string]struct{ rules, reached string }{
		"everything":        {`redirect /welcome; allow`, "/welcome /welcome?x=1 /welcome/ /welcome/ws /welcome/static/x /static/js/bokeh.js"},
		"with a query":      {`redirect /a /a?x=1; allow`, "/a?x=1"},
		"this site by name": {`redirect https://` + testHost + `/welcome; allow`, "/welcome /welcome/ws"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newRulesSite(t, test.rules)
			cookie := s.signIn("bob", "pw")
			for _, path := range strings.Fields(test.reached) {
				s.serve(get(path, browser, cookieLine(cookie))).wantReached()
			}
		})
	}
	t.Run("a page that is sent elsewhere has no websocket", func(t *testing.T) {
		s := newRulesSite(t, `redirect path=["/admin"] not=[{"auth_user":["alice"]}] /user; allow`)
		cookie := s.signIn("bob", "pw")
		s.serve(get("/admin/ws", websocket, cookieLine(cookie))).wantRefusedHere(http.StatusForbidden)
		s.serve(get("/admin", header("X-Requested-With", "XMLHttpRequest"), cookieLine(cookie))).wantRefusedHere(http.StatusForbidden)
		s.serve(get("/user/ws", websocket, cookieLine(cookie))).wantReached()
	})
	t.Run("login and logout know no rules", func(t *testing.T) {
		s := newRulesSite(t, `redirect /nowhere`)
		s.serve(get("/login", browser)).want(http.StatusOK)
		s.serve(get("/logout", browser, cookieLine(s.signIn("bob", "pw")))).want(http.StatusOK)
	})
}

// TestRuleRedirectsToProvider: a provider does not ask people again whom it
// knows, so that sending them there would bring them back for ever.
func TestRuleRedirectsToProvider(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), optional, rulesOf(`redirect path=["/admin"] /login; allow`))
	v := s.newVisitor("1001")
	a := v.open("/admin")
	a.wantRefusedHere(http.StatusFound)
	a.wantHeader("Location", "/login?next=%2Fadmin")
	v.visit("/login?next=%2F").wantReached()
	v.open("/admin").wantRefusedHere(http.StatusForbidden)
}

// TestRulesUnderPrefix: under handle_path the rules and their targets live
// below the prefix.
func TestRulesUnderPrefix(t *testing.T) {
	s := newRulesSite(t, `redirect /a /b; redirect /c /login; allow /d`)
	cookie := s.signIn("bob", "pw")
	for path, location := range map[string]string{"/a": "/proxy/b", "/c": "/proxy/login?next=%2Fproxy%2Fc"} {
		r := prepared(get("/proxy"+path, browser, cookieLine(cookie)))
		r.URL.Path = path
		s.serve(r).wantHeader("Location", location)
	}
	r := prepared(get("/proxy//d", browser, cookieLine(cookie)))
	r.URL.Path = "/d"
	s.serve(r).wantRefusedHere(http.StatusForbidden)
}

func TestRefusedAnswers(t *testing.T) {
	s := newRulesSite(t, adminsOnly, identityHeaders)
	cookie := s.signIn("bob", "pw")
	t.Run("page", func(t *testing.T) {
		a := s.in(t).serve(get("/admin?x=1", browser, cookieLine(cookie)))
		a.wantRefusedHere(http.StatusForbidden)
		a.wantBody("No access", "You are signed in as", "bob", `action="/logout"`, "/login?next=%2Fadmin%3Fx%3D1")
	})
	t.Run("program", func(t *testing.T) {
		a := s.in(t).serve(get("/admin", header("Accept", "application/json"), cookieLine(cookie)))
		a.wantRefusedHere(http.StatusForbidden)
		a.wantHeader("Content-Type", "application/json")
		if a.text != `{"error":"forbidden"}` {
			t.Errorf("got %s", a.text)
		}
	})
	t.Run("placeholders", func(t *testing.T) {
		r := prepared(get("/admin", browser, cookieLine(cookie)))
		s.in(t).serve(r).wantRefusedHere(http.StatusForbidden)
		repl := replacerOf(r)
		for name, want := range map[string]string{"id": "bob", "email": "bob@example.org", "provider": passwordProvider} {
			if got, _ := repl.GetString("http.auth.candidate." + name); got != want {
				t.Errorf("candidate %s is %q, wanted %q", name, got, want)
			}
			if got, known := repl.GetString("http.auth.user." + name); known {
				t.Errorf("user %s is %q", name, got)
			}
		}
		if who := caddyhttp.GetVar(r.Context(), identityVar); who != nil {
			t.Error("matchers would take the request for bob's")
		}
	})
	t.Run("let in", func(t *testing.T) {
		s.in(t).serve(get("/user", cookieLine(cookie))).wantUser("bob")
		repl := replacerOf(s.app.got)
		if got, _ := repl.GetString("http.auth.user.email"); got != "bob@example.org" {
			t.Errorf("the e-mail address is %q", got)
		}
		if got, known := repl.GetString("http.auth.candidate.id"); known {
			t.Errorf("the candidate is %q", got)
		}
	})
	t.Run("own page", func(t *testing.T) {
		own := newRulesSite(t, adminsOnly, func(h *Handler) {
			h.AuthTemplate = newFile(t, "auth.html", "{{ error_type }}: {{ username }}")
		})
		a := own.serve(get("/admin", browser, cookieLine(own.signIn("bob", "pw"))))
		a.wantRefusedHere(http.StatusForbidden)
		a.wantBody("Authorization Error: bob")
	})
}

func TestRefusalsAreLogged(t *testing.T) {
	s := newRulesSite(t, adminsOnly)
	clock := s.withClock()
	cookie := s.signIn("bob", "pw")
	denials := func() *observer.ObservedLogs { return s.logs.FilterField(zap.String("event", "denied")) }
	for range 5 {
		s.serve(get("/admin", browser, cookieLine(cookie))).want(http.StatusForbidden)
	}
	if lines := denials().Len(); lines != 1 {
		t.Errorf("got %d lines, wanted one", lines)
	}
	clock.pass(deniedInterval)
	s.serve(get("/admin", browser, cookieLine(cookie))).want(http.StatusForbidden)
	if lines := denials().Len(); lines != 2 {
		t.Errorf("got %d lines, wanted two", lines)
	}
	fields := denials().All()[0].ContextMap()
	for name, want := range map[string]any{"event": "denied", "user_id": "bob", "client_ip": "192.0.2.1", "provider": passwordProvider, "reason": deniedByRule, "rule": "rule 1", "path": "/admin"} {
		if fields[name] != want {
			t.Errorf("%s is %v, wanted %v", name, fields[name], want)
		}
	}
}

func TestRuleMistakes(t *testing.T) {
	tests := map[string]struct {
		authorize Authorize
		want      string
	}{
		"nothing":           {Authorize{}, "no rules"},
		"both":              {Authorize{File: "x", Rules: parseRules("allow")}, "not both"},
		"action":            {Authorize{Rules: []Rule{{Action: "permit"}}}, `rule 1: "permit"`},
		"no URL":            {Authorize{Rules: parseRules("allow; redirect")}, "rule 2: redirect needs a URL"},
		"URL of allow":      {Authorize{Rules: []Rule{{Action: "allow", URL: "/x"}}}, "only redirect"},
		"empty matcher":     {Authorize{Rules: []Rule{{Action: "allow", MatcherSetsRaw: caddyhttp.RawMatcherSets{{}}}}}, "asks for nothing"},
		"two slashes":       {Authorize{Rules: parseRules("redirect //evil.example")}, "one slash"},
		"script":            {Authorize{Rules: parseRules("redirect javascript:alert(1)")}, "one slash"},
		"host from request": {Authorize{Rules: parseRules("redirect https://{http.request.host}/")}, "must write its host"},
		"host goes on":      {Authorize{Rules: parseRules("redirect https://example.com{http.request.uri}")}, "must write its host"},
		"user in URL":       {Authorize{Rules: parseRules("redirect https://a@example.com/")}, "user name"},
		"no such file":      {Authorize{File: "no/such/file"}, "reading the rules"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := Handler{BasicAuth: &BasicAuth{Source: testPassword}, Authorize: &test.authorize}
			mistakes := h.Mistakes()
			if len(mistakes) != 1 || mistakes[0].Subdirective != "authorize" || !strings.Contains(mistakes[0].Err.Error(), test.want) {
				t.Errorf("got %v", mistakes)
			}
		})
	}
	for name, line := range map[string]string{
		"unknown matcher":    `allow nonsense=1`,
		"bad expression":     `allow expression="nonsense("`,
		"no user":            `allow auth_user=[]`,
		"user from nowhere":  `allow auth_user=["{env.PANELAUTH_IS_NOT_SET}"]`,
		"unknown inside not": `allow not=[{"nonsense":1}]`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tryNewSite(t, newFlakyStorage(t), rulesOf(line)); err == nil || !strings.Contains(err.Error(), "rule 1") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("unreachable", func(t *testing.T) {
		s := newRulesSite(t, `allow /a; allow; deny /b`)
		if s.logs.FilterMessageSnippet("never asked").Len() != 1 {
			t.Error("nothing was said of it")
		}
	})
}
