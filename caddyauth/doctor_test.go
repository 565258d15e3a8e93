// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// doctorSecret is a secret of which nothing may be printed.
const doctorSecret = "kJ8vQ2xTn5ZrW7pLmB4cYd9fHs3gAe6u"

// fakePanel answers as Panel does, as far as the doctor asks. It counts the
// pages and websockets that it opens, which the doctor must not have it do.
type fakePanel struct {
	*httptest.Server
	secret  string // that it signs with
	signIn  bool   // it asks for one itself
	broken  bool   // it answers nothing else than that it failed
	origins []string
	pages   []string
	opened  atomic.Int32
}

func newFakePanel(t *testing.T, tweak ...func(*fakePanel)) *fakePanel {
	t.Helper()
	p := &fakePanel{secret: doctorSecret, pages: []string{"/app"}}
	for _, change := range tweak {
		change(p)
	}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	if p.origins == nil {
		p.origins = []string{"localhost:" + p.port()}
	}
	return p
}

func (p *fakePanel) address() string { return p.Listener.Addr().String() }

func (p *fakePanel) port() string {
	_, port, _ := net.SplitHostPort(p.address())
	return port
}

func (p *fakePanel) knows(r *http.Request) bool {
	cookie, err := r.Cookie("user")
	if err != nil {
		return !p.signIn
	}
	user, err := tornado.Verify([]byte(p.secret), "user", cookie.Value, time.Now(), time.Hour)
	return !p.signIn || err == nil && user == doctorUser
}

func (p *fakePanel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "TornadoServer/6.6")
	if p.broken {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	page, isSocket := strings.CutSuffix(r.URL.Path, "/ws")
	for _, known := range p.pages {
		switch {
		case isSocket && page == strings.TrimSuffix(known, "/"):
			p.socket(w, r)
			return
		case r.URL.Path == known:
			p.opened.Add(1)
			return
		}
	}
	switch {
	case r.URL.Path != "/":
		w.WriteHeader(http.StatusNotFound)
	case !p.knows(r):
		http.Redirect(w, r, "./login?next=%2F", http.StatusFound)
	case len(p.pages) == 1:
		http.Redirect(w, r, "."+p.pages[0], http.StatusFound)
	default:
		for _, known := range p.pages {
			fmt.Fprintf(w, `<li><a class="card-link" href=".%s">`, known)
		}
	}
}

func (p *fakePanel) socket(w http.ResponseWriter, r *http.Request) {
	_, host, hasOrigin := strings.Cut(r.Header.Get("Origin"), "://")
	allowed := !hasOrigin
	for _, origin := range p.origins {
		allowed = allowed || origin == host
	}
	if !allowed || !p.knows(r) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if r.Header.Get("Sec-WebSocket-Version") == "13" {
		p.opened.Add(1)
	}
	w.WriteHeader(http.StatusUpgradeRequired)
}

// configured is a configuration with one site, example.com on HTTPS.
type configured struct {
	listen, host string
	handler      map[string]any
	upstream     string
	before       string // handlers, as JSON with a comma after each
	more         string // servers, as JSON with a comma before each
	storage      string
	admin        string
	server       string // of the server, as JSON with a comma before each
}

func goodSite(p *fakePanel) *configured {
	return &configured{
		listen: ":443", host: `["example.com"]`, upstream: p.address(), admin: `{}`,
		handler: map[string]any{
			"handler": "panelauth", "basic_auth": "W7pLmB4cYd9fHs3g", "cookie_secret": []string{doctorSecret},
			"websocket_origin": "http://localhost:" + p.port(),
		},
	}
}

func (c *configured) text(t *testing.T) string {
	t.Helper()
	handler, err := json.Marshal(c.handler)
	if err != nil {
		t.Fatal(err)
	}
	match := ""
	if c.host != "" {
		match = `"match": [{"host": ` + c.host + `}], `
	}
	storage := c.storage
	if storage == "" {
		storage = fmt.Sprintf(`{"module": "file_system", "root": %q}`, t.TempDir())
	}
	return fmt.Sprintf(`{"admin": %s, "storage": %s, "apps": {"http": {"servers": {"srv0": {"listen": [%q]%s, "routes": [{%s"handle": [
		{"handler": "subroute", "routes": [{"handle": [%s%s, {"handler": "reverse_proxy", "upstreams": [{"dial": %q}]}]}]}
	], "terminal": true}]}%s}}}}`, c.admin, storage, c.listen, c.server, match, c.before, handler, c.upstream, c.more)
}

// examine looks the configuration over, and sees to it that no secret is
// printed.
func (c *configured) examine(t *testing.T, tweak ...func(*doctor)) []finding {
	t.Helper()
	config := new(doctorConfig)
	if err := json.Unmarshal([]byte(c.text(t)), config); err != nil {
		t.Fatal(err)
	}
	d := newDoctor(config, "")
	d.ownAddresses = func() []net.IP { return nil }
	for _, change := range tweak {
		change(d)
	}
	findings := d.examine(t.Context())
	printed, err := json.Marshal(findings)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{doctorSecret, "W7pLmB4cYd9fHs3g", "hunter2"} {
		if strings.Contains(string(printed), secret) {
			t.Errorf("a secret is printed: %s", printed)
		}
	}
	return findings
}

// has reports whether there is such a finding.
func has(findings []finding, verdict, name, text string) bool {
	for _, f := range findings {
		if f.Verdict == verdict && f.Check == name && strings.Contains(f.Message+" -> "+f.Advice, text) {
			return f.Verdict == verdictOK || f.Advice != ""
		}
	}
	return false
}

func wantFinding(t *testing.T, findings []finding, verdict, name, text string) {
	t.Helper()
	if !has(findings, verdict, name, text) {
		var all strings.Builder
		_ = writeFindings(&all, findings)
		t.Errorf("no %q of %s that says %q in\n%s", verdict, name, text, all.String())
	}
}

func TestDoctorOnGoodSite(t *testing.T) {
	p := newFakePanel(t)
	for _, f := range goodSite(p).examine(t) {
		if f.Verdict != verdictOK {
			t.Errorf("%+v", f)
		}
	}
	if n := p.opened.Load(); n != 0 {
		t.Errorf("pages were opened %d times", n)
	}
}

// TestDoctorOptions breaks one thing at a time in the site that is good.
func TestDoctorOptions(t *testing.T) {
	set := func(key string, value any) func(*configured) {
		return func(c *configured) { c.handler[key] = value }
	}
	all := func(changes ...func(*configured)) func(*configured) {
		return func(c *configured) {
			for _, change := range changes {
				change(c)
			}
		}
	}
	readable := newFile(t, "users.json", `{"alice": "a-long-and-plain-password", "bob": "`+bcryptOf(t, "x", 4)+`"}`)
	if err := os.Chmod(readable, 0o646); err != nil {
		t.Fatal(err)
	}
	github := all(set("oauth_provider", []map[string]any{{"name": "github", "key": "k", "secret": "hunter2-hunter2", "extra_params": map[string]string{"url": "http://127.0.0.1:1"}}}))
	withRedirect := func(uri string) func(*configured) {
		return set("oauth_provider", []map[string]any{{"name": "github", "key": "k", "secret": "hunter2-hunter2", "redirect_uri": uri, "extra_params": map[string]string{"url": "http://127.0.0.1:1"}}})
	}
	listen := func(address, host string) func(*configured) {
		return func(c *configured) { c.listen, c.host = address, host }
	}
	tests := map[string]struct {
		change              func(*configured)
		verdict, name, says string
	}{
		"unknown placeholder":       {set("basic_auth", "{env.PANELAUTH_NOT_SET}"), "fail", "options", "{env.PANELAUTH_NOT_SET} resolves to nothing"},
		"no way in":                 {func(c *configured) { delete(c.handler, "basic_auth") }, "fail", "options", "nobody could sign in"},
		"an empty password":         {set("basic_auth", ""), "fail", "options", "the password is empty"},
		"a missing file":            {set("basic_auth", "./missing.json"), "fail", "options", "missing.json"},
		"a missing template":        {set("logout_template", "missing.html"), "fail", "options", "missing.html"},
		"a broken template":         {set("logout_template", newFile(t, "broken.html", "{% if %}")), "fail", "options", "parsing the template"},
		"broken rules":              {set("authorize", map[string]any{"file": newFile(t, "rules", "permit\n")}), "fail", "options", "rules"},
		"JSON of something else":    {set("cookie_secret", 5), "fail", "options", "JSON"},
		"a short secret":            {set("cookie_secret", []string{"hunter2"}), "fail", "options", "shorter than"},
		"a documented secret":       {set("cookie_secret", []string{"replace-this-example-secret"}), "fail", "secrets", "stands in documentation"},
		"Panel's documented secret": {set("cookie_secret", []string{"my_super_safe_cookie_secret"}), "fail", "secrets", "stands in documentation"},
		"a documented older one":    {set("cookie_secret", []string{doctorSecret, "my_super_safe_cookie_secret1"}), "fail", "secrets", "older"},
		"a monotonous secret":       {set("cookie_secret", []string{"aaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbb"}), "warn", "secrets", "guessed"},
		"no secret":                 {func(c *configured) { delete(c.handler, "cookie_secret") }, "ok", "secrets", "generated"},
		"a short client secret":     {set("oauth_provider", []map[string]any{{"name": "github", "key": "k", "secret": "hunter2"}}), "fail", "secrets", "client secret of github"},
		"JSON of another kind":      {set("oauth_optional", "yes"), "fail", "options", "oauth_optional must be a bool"},
		"JSON with a misspelt key":  {set("basic_auht", "hunter2"), "fail", "options", `unknown field "basic_auht"`},
		"a variable of shells":      {set("basic_auth", "$APP_PASSWORD"), "fail", "options", "write {env.APP_PASSWORD}"},
		"two on one way": {func(c *configured) { c.before = `{"handler": "panelauth", "basic_auth": "W7pLmB4cYd9fHs3g"},` },
			"fail", "order", "meets another panelauth"},
		"a short password":          {set("basic_auth", "hunter2"), "fail", "passwords", "1 password is shorter"},
		"a known password":          {set("basic_auth", "open-sesame"), "fail", "passwords", "known to everybody"},
		"a known one with digits":   {set("basic_auth", "Password123!"), "fail", "passwords", "known to everybody"},
		"plain accounts":            {set("basic_auth", map[string]string{"alice": doctorSecret}), "warn", "passwords", "not hashed"},
		"plain accounts in a file":  {set("basic_auth", readable), "warn", "passwords", "1 password is not hashed"},
		"a readable file":           {set("basic_auth", readable), "warn", "files", "can read the passwords"},
		"a writable file":           {set("basic_auth", readable), "fail", "files", "can change"},
		"no HTTPS":                  {listen(":80", `["example.com"]`), "warn", "cookies", "no HTTPS"},
		"no HTTPS and no host":      {listen(":8080", ""), "warn", "cookies", "no host name"},
		"no HTTPS on localhost":     {listen(":80", `["localhost"]`), "ok", "cookies", "fit"},
		"HTTPS before Caddy":        {all(listen(":80", `["example.com"]`), func(c *configured) { c.server = `, "trusted_proxies": {"source": "static"}` }), "ok", "cookies", "fit"},
		"SameSite=None in the open": {all(listen(":80", `["example.com"]`), set("cookie_same_site", "none")), "fail", "cookies", "SameSite=None"},
		"a strange cookie domain":   {set("cookie_domain", "example.org"), "fail", "cookies", "example.com for example.org"},
		"a good cookie domain":      {all(listen(":443", `["app.example.com", "*.example.com"]`), set("cookie_domain", ".example.com")), "ok", "cookies", "fit"},
		"a public cookie domain":    {all(listen(":443", `["a.co.uk"]`), set("cookie_domain", "co.uk")), "fail", "cookies", "belongs to many"},
		"logout outside the path":   {set("cookie_path", "/app"), "warn", "cookies", "/logout is outside of cookie_path"},
		"endpoints on the path":     {all(set("cookie_path", "/app"), set("login_endpoint", "/app/login"), set("logout_endpoint", "/app/logout")), "ok", "cookies", "fit"},
		"the path with a prefix": {all(set("cookie_path", "/proxy"), func(c *configured) { c.before = `{"handler": "rewrite", "strip_path_prefix": "/proxy"},` }),
			"ok", "cookies", "fit"},
		"guests with the prefix": {all(set("oauth_guest_endpoints", []string{"/proxy/app"}), func(c *configured) { c.before = `{"handler": "rewrite", "strip_path_prefix": "/proxy"},` }),
			"warn", "guests", "Caddy takes /proxy off"},
		"the login page for guests": {set("oauth_guest_endpoints", []string{"/login"}), "warn", "guests", "always open"},
		"everybody a guest":         {set("oauth_optional", true), "ok", "guests", "every page"},
		"all tokens, encrypted": {all(github, set("oauth_encryption_key", tornado.NewFernetKey()), set("panel_cookies", []string{"encrypted", "user", "id_token", "access_token", "refresh_token"})),
			"warn", "header sizes", "8 KiB"},
		"tokens in cookies": {all(github, set("session_store", "cookie"), set("oauth_refresh_tokens", true), set("panel_cookies", []string{"encrypted", "user", "id_token", "access_token"}), set("oauth_encryption_key", tornado.NewFernetKey())),
			"warn", "header sizes", "session_store"},
		"a provider that is away":  {github, "fail", "provider", "whether this machine reaches"},
		"a provider without TLS":   {set("oauth_provider", []map[string]any{{"name": "gitlab", "key": "k", "secret": "hunter2-hunter2", "extra_params": map[string]string{"url": "http://gitlab.invalid"}}}), "warn", "provider", "without TLS"},
		"back to elsewhere":        {withRedirect("https://example.org/login"), "fail", "redirect URI", "come back to example.org"},
		"back without HTTPS":       {withRedirect("http://example.com/login"), "fail", "redirect URI", "with HTTPS"},
		"back to another port":     {withRedirect("https://example.com:8443/login"), "warn", "redirect URI", "port"},
		"back to here":             {withRedirect("https://example.com/login"), "ok", "redirect URI", "register https://example.com/login"},
		"back to a wildcard":       {all(listen(":443", `["*.example.com"]`), withRedirect("https://a.example.com/login")), "ok", "redirect URI", "register"},
		"back to no host":          {all(listen(":8080", ""), github), "warn", "redirect URI", "names none"},
		"back by itself":           {github, "ok", "redirect URI", "register https://example.com/login"},
		"back without HTTPS again": {all(listen(":80", `["example.com"]`), github), "warn", "redirect URI", "localhost alone"},
		"behind respond": {func(c *configured) { c.before = `{"handler": "static_response"},` },
			"fail", "order", "respond stands before panelauth"},
		"an open admin API":      {func(c *configured) { c.admin = `{"listen": ":2019"}` }, "fail", "admin API", "open to the network"},
		"an admin API on unix":   {func(c *configured) { c.admin = `{"listen": "unix//run/caddy.sock"}` }, "ok", "admin API", "within"},
		"an admin API on tcp":    {func(c *configured) { c.admin = `{"listen": "tcp/127.0.0.1:2019"}` }, "ok", "admin API", "within"},
		"no admin API":           {func(c *configured) { c.admin = `{"disabled": true}` }, "ok", "admin API", "turned off"},
		"no application":         {func(c *configured) { c.upstream = "127.0.0.1:1" }, "fail", "application", "nothing answers"},
		"an application by name": {func(c *configured) { c.upstream = "{http.request.host}:5006" }, "ok", "application", "depends on the request"},
		"Redis that is away":     {set("session_store", "redis://user:hunter2@127.0.0.1:1"), "fail", "session store", "cannot be read"},
		"a storage of no kind":   {func(c *configured) { c.storage = `{"module": "none_such"}` }, "fail", "session store", "cannot be opened"},
		"a storage to be made":   {func(c *configured) { c.storage = `{"module": "file_system", "root": "/nonexistent/caddy"}` }, "ok", "session store", "Caddy makes it"},
		"sessions in cookies":    {set("session_store", "cookie"), "ok", "session store", "in cookies"},
		"another site to it": {func(c *configured) {
			c.more = `, "srv1": {"listen": [":8080"], "routes": [{"handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": "` + c.upstream + `"}]}]}]}`
		}, "fail", "ways around", "without panelauth"},
		"another path to it": {func(c *configured) {
			c.more = `, "srv1": {"listen": [":8080"], "routes": [{"match": [{"path": ["/static/*"]}], "handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": "` + c.upstream + `"}]}]}]}`
		}, "warn", "ways around", "some paths"},
		"a matcher on panelauth": {func(c *configured) {
			c.more = `, "srv1": {"listen": [":8443"], "routes": [{"match": [{"path": ["/app/*"]}], "handle": [{"handler": "panelauth", "basic_auth": "W7pLmB4cYd9fHs3g"}]}, {"handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": "` + c.upstream + `"}]}]}]}`
		}, "warn", "ways around", "matcher"},
		"a route that never ends": {func(c *configured) {
			c.server = `, "named_routes": {"a": {"handle": [{"handler": "invoke", "name": "a"}]}}`
			c.before = `{"handler": "invoke", "name": "a"},`
		}, "ok", "options", "take"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			site := goodSite(newFakePanel(t))
			test.change(site)
			wantFinding(t, site.examine(t), test.verdict, test.name, test.says)
		})
	}
}

func TestDoctorOnPanel(t *testing.T) {
	tests := map[string]struct {
		panel               func(*fakePanel)
		site                func(*configured)
		verdict, name, says string
	}{
		"one page":           {nil, nil, "ok", "application", "cannot be seen"},
		"a page at the root": {func(p *fakePanel) { p.pages = []string{"/"} }, nil, "ok", "application", "cannot be seen"},
		"a guest's page":     {nil, func(c *configured) { c.handler["oauth_guest_endpoints"] = []string{"/app", "/files/*"} }, "ok", "guests", "/app"},
		"a misspelt page": {nil, func(c *configured) { c.handler["oauth_guest_endpoints"] = []string{"/ap"} },
			"warn", "application", "Panel has no page at /ap,"},
		"an error of its own": {func(p *fakePanel) { p.broken = true }, nil, "fail", "application", "an error of its own"},
		"several pages":       {func(p *fakePanel) { p.pages = []string{"/app", "/admin"} }, nil, "ok", "application", "cannot be seen"},
		"behind a prefix":     {func(p *fakePanel) { p.pages = []string{"/pre/"} }, func(c *configured) { c.handler["login_endpoint"] = "/pre/login" }, "ok", "application", "cannot be seen"},
		"with a sign-in":      {func(p *fakePanel) { p.signIn = true }, nil, "ok", "application", "accepts the cookies"},
		"with another secret": {func(p *fakePanel) { p.signIn, p.secret = true, "another-secret-than-panelauths" }, nil, "fail", "application", "another secret"},
		"the same at the root": {func(p *fakePanel) {
			p.signIn, p.secret, p.pages = true, "another-secret-than-panelauths", []string{"/"}
		}, nil, "fail", "application", "another secret"},
		"without a secret":  {func(p *fakePanel) { p.signIn = true }, func(c *configured) { delete(c.handler, "cookie_secret") }, "fail", "application", "once more"},
		"without cookies":   {nil, func(c *configured) { c.handler["panel_cookies"] = []string{"off"} }, "ok", "application", "gets no user"},
		"another origin":    {nil, func(c *configured) { delete(c.handler, "websocket_origin") }, "fail", "application", "pages of https://example.com"},
		"the site's origin": {func(p *fakePanel) { p.origins = []string{"example.com"} }, func(c *configured) { delete(c.handler, "websocket_origin") }, "ok", "application", "Panel answers"},
		"another origin and a sign-in": {func(p *fakePanel) { p.signIn, p.origins = true, []string{"example.org"} }, nil,
			"fail", "application", "--allow-websocket-origin localhost"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var changes []func(*fakePanel)
			if test.panel != nil {
				changes = append(changes, test.panel)
			}
			p := newFakePanel(t, changes...)
			site := goodSite(p)
			if test.site != nil {
				test.site(site)
			}
			wantFinding(t, site.examine(t), test.verdict, test.name, test.says)
			if n := p.opened.Load(); n != 0 {
				t.Errorf("pages were opened %d times", n)
			}
		})
	}
}

// TestDoctorOnOthers: an application that is not Panel is left alone.
func TestDoctorOnOthers(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(other.Close)
	site := goodSite(newFakePanel(t))
	site.upstream = other.Listener.Addr().String()
	wantFinding(t, site.examine(t), "ok", "application", "does not look like Panel")
}

func TestDoctorFindsOpenApplication(t *testing.T) {
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	everywhere := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.NotFoundHandler()}}
	everywhere.Start()
	t.Cleanup(everywhere.Close)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	site := goodSite(newFakePanel(t))
	site.upstream = "127.0.0.1:" + port
	own := func(d *doctor) { d.ownAddresses = func() []net.IP { return []net.IP{net.IPv4(127, 0, 0, 2)} } }
	wantFinding(t, site.examine(t, own), "warn", "application", "--address localhost")
}

// reachable puts a provider where the tests of this package look for it, with
// a clock.
func reachable(t *testing.T, handler http.Handler, url string) {
	t.Helper()
	_, host, _ := strings.Cut(url, "://")
	internet.put(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { internet.put(host, nil) })
}

func TestDoctorOnProvider(t *testing.T) {
	oidc := func(s *providertest.Server, site *configured) {
		site.handler["oauth_provider"] = []map[string]any{{
			"name": "oidc", "key": s.ClientID, "secret": s.ClientSecret, "extra_params": s.Params,
		}}
	}
	tests := map[string]struct {
		fault               func(*providertest.Server)
		ahead               time.Duration
		verdict, name, says string
	}{
		"good":          {nil, 0, "ok", "provider", "can be reached"},
		"a slow clock":  {nil, -45 * time.Second, "warn", "provider", "clock"},
		"a wrong clock": {nil, 5 * time.Minute, "fail", "provider", "differs from the provider's by"},
		"no discovery":  {func(s *providertest.Server) { s.Fault(providertest.Discovery, providertest.HTML()) }, 0, "fail", "provider", "discovery"},
		"no keys":       {func(s *providertest.Server) { s.Fault(providertest.Keys, providertest.Unavailable()) }, 0, "fail", "provider", "keys"},
		"another issuer": {func(s *providertest.Server) {
			s.Turn(func(k *providertest.Knobs) {
				k.Metadata = func(m map[string]any) { m["issuer"] = "https://id.example.org" }
			})
		}, 0, "fail", "provider", "ISSUER"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := providertest.Start(t)
			reachable(t, s, s.URL)
			if test.fault != nil {
				test.fault(s)
			}
			site := goodSite(newFakePanel(t))
			oidc(s, site)
			found := site.examine(t, func(d *doctor) { d.now = func() time.Time { return time.Now().Add(test.ahead) } })
			wantFinding(t, found, test.verdict, test.name, test.says)
		})
	}
	t.Run("without discovery", func(t *testing.T) {
		s := providertest.GitHub(t)
		reachable(t, s, s.URL)
		site := goodSite(newFakePanel(t))
		site.handler["oauth_provider"] = []map[string]any{{"name": "github", "key": "k", "secret": doctorSecret, "extra_params": s.Params}}
		wantFinding(t, site.examine(t), "ok", "provider", "can be reached")
	})
}

// TestDoctorDoesNotWait for a provider that never answers.
func TestDoctorDoesNotWait(t *testing.T) {
	release := make(chan struct{})
	const silent = "https://silent.example.com"
	reachable(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }), silent)
	t.Cleanup(func() { close(release) })
	site := goodSite(newFakePanel(t))
	site.handler["oauth_provider"] = []map[string]any{{"name": "oidc", "key": "k", "secret": doctorSecret, "extra_params": map[string]string{"ISSUER": silent}}}
	found := site.examine(t, func(d *doctor) { d.patience = 500 * time.Millisecond })
	wantFinding(t, found, "fail", "provider", "see whether this machine reaches")
}

func TestDoctorOnStores(t *testing.T) {
	t.Run("redis", func(t *testing.T) {
		site := goodSite(newFakePanel(t))
		site.handler["session_store"] = startRedis(t)
		wantFinding(t, site.examine(t), "ok", "session store", "written and read")
	})
	t.Run("storage in use", func(t *testing.T) {
		root := t.TempDir()
		marker := filepath.Join(root, filepath.FromSlash(markerKey))
		if err := os.MkdirAll(filepath.Dir(marker), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, marker, "x")
		site := goodSite(newFakePanel(t))
		site.storage = fmt.Sprintf(`{"module": "file_system", "root": %q}`, root)
		wantFinding(t, site.examine(t), "ok", "session store", "written and read")
		left, err := os.ReadDir(filepath.Dir(marker))
		if err != nil || len(left) != 1 {
			t.Errorf("there is more than before: %v, %v", left, err)
		}
		if left, err := os.ReadDir(root); err != nil || len(left) != 1 {
			t.Errorf("there is more than before: %v, %v", left, err)
		}
	})
}

func TestDoctorCommand(t *testing.T) {
	p := newFakePanel(t)
	site := goodSite(p)
	good := newFile(t, "good.json", site.text(t))
	out, err := run(t, "doctor", "--config", good)
	if err != nil || !strings.Contains(out, "ok    options (https://example.com): ") || strings.Contains(out, doctorSecret) {
		t.Errorf("%v\n%s", err, out)
	}
	if err := os.Chmod(good, 0o604); err != nil {
		t.Fatal(err)
	}
	if out, err = run(t, "doctor", "--config", good); err != nil || !strings.Contains(out, "warn  files") {
		t.Errorf("%v\n%s", err, out)
	}
	site.handler["basic_auth"] = "{env.PANELAUTH_DOCTOR_TEST}"
	bad := newFile(t, "bad.json", site.text(t))
	out, err = run(t, "doctor", "--config", bad, "--json")
	var findings []finding
	if decoded := json.NewDecoder(strings.NewReader(out)).Decode(&findings); err == nil || decoded != nil {
		t.Fatalf("%v, %v\n%s", err, decoded, out)
	}
	wantFinding(t, findings, "fail", "options", "PANELAUTH_DOCTOR_TEST")
	t.Setenv("PANELAUTH_DOCTOR_TEST", "") // gives it back after the test
	if err := os.Unsetenv("PANELAUTH_DOCTOR_TEST"); err != nil {
		t.Fatal(err)
	}
	variables := newFile(t, "env", "PANELAUTH_DOCTOR_TEST='a long pass phrase'\n")
	if out, err = run(t, "doctor", "--config", bad, "--envfile", variables); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for name, file := range map[string]string{
		"no file": "missing.json", "no JSON": newFile(t, "x.json", "{"), "no panelauth": newFile(t, "y.json", "{}"), "a list": newFile(t, "z.json", "[]"),
	} {
		if out, err := run(t, "doctor", "--config", file); err == nil || !strings.Contains(out, "fail  configuration") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if _, err := run(t, "doctor", "--config", bad, "--envfile", "missing.env"); err == nil {
		t.Error("a file of variables that is not there is no error")
	}
}
