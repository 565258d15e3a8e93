// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/panelauth/caddy-panelauth"
	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
)

// site is a Caddy that serves one profile, with the application behind it.
type site struct {
	t       testing.TB
	address string // where it listens
	host    string // what it is called
	secure  bool   // speaks TLS
	running bool   // was loaded before
	app     *application
	dir     string // what Caddy writes to
	text    string // of the Caddyfile
	config  []byte
	storage string // the module that keeps what Caddy keeps. Default: files

	provider, second *providertest.Server
}

const siteName = "app.example.com"

// serve runs Caddy with a profile until the test ends. There is one at a time.
func serve(t testing.TB, name string, change ...func(*site, *profile)) *site {
	t.Helper()
	p, known := profiles[name]
	if !known {
		t.Fatalf("there is no profile %q", name)
	}
	for name, secret := range map[string]string{"COOKIE_SECRET": cookieSecret, "CLIENT_SECRET": clientSecret, "MASTER": master} {
		t.Setenv(name, secret) // Caddy's own log shows what is written in the configuration
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	s := &site{t: t, address: address, host: siteName + ":" + port, app: newApplication(t), dir: newFolder(t)}
	if p.provider {
		s.provider = providertest.Start(t)
	}
	if p.second {
		s.second = providertest.Start(t)
	}
	for _, do := range change {
		do(s, &p)
	}
	for file, text := range p.files {
		s.write(file, text)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Errorf("stopping Caddy: %v", err)
		}
	})
	s.config = s.adapt(p)
	s.load()
	return s
}

// overTLS makes a site one of HTTPS, with a certificate of Caddy's own.
func overTLS(s *site, _ *profile) { s.secure = true }

// beside adds lines to a profile's block.
func beside(lines string) func(*site, *profile) {
	return func(_ *site, p *profile) { p.lines += "\n" + lines }
}

// in is the same site in a subtest.
func (s *site) in(t testing.TB) *site {
	here := *s
	here.t = t
	return &here
}

func (s *site) base() string {
	if s.secure {
		return "https://" + s.host
	}
	return "http://" + s.host
}

// sessionCookie is the name of the session cookie.
func (s *site) sessionCookie() string {
	if s.secure {
		return "__Host-panelauth"
	}
	return "panelauth"
}

func (s *site) write(file, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, file)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		s.t.Fatal(err)
	}
}

// logs is all that Caddy has logged, at its most talkative.
func (s *site) logs() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "caddy.log"))
	return string(text)
}

// proxyTo passes requests on to an application. Websockets that somebody has just
// left are not closed with the site: the race detector sees how Caddy counts the
// bytes of both at once.
func proxyTo(app *application) string {
	return "reverse_proxy " + app.address() + " {\nstream_close_delay 1h\n}"
}

// block is the panelauth block of a profile.
func (s *site) block(p profile) string {
	lines := []string{"cookie_secret {env.COOKIE_SECRET}", "identity_headers {"}
	for _, header := range slices.Sorted(maps.Keys(identityHeaders)) {
		lines = append(lines, header+" "+identityHeaders[header])
	}
	lines = append(lines, "}", strings.NewReplacer(
		"{files}", s.dir,
		"{provider}", providerLines("oidc", s.provider),
		"{second}", providerLines("oidc one", s.provider)+"\n"+providerLines("oidc two", s.second),
	).Replace(p.lines))
	if !p.limited {
		lines = append(lines, "login_attempts 1000 1s")
	}
	return "panelauth {\n" + strings.Join(lines, "\n") + "\n}"
}

func providerLines(name string, p *providertest.Server) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("oauth_provider %s {\nkey %s\nsecret {env.CLIENT_SECRET}\nextra_params {\nISSUER %s\n}\n}", name, p.ClientID, p.Params["ISSUER"])
}

// adapt makes the configuration of a profile, which keeps to itself.
func (s *site) adapt(p profile) []byte {
	s.t.Helper()
	inner := s.block(p)
	if p.around != "%s" {
		inner += "\n" + proxyTo(s.app)
	} else {
		inner += "\nreverse_proxy 127.0.0.1:1" // where nobody listens
	}
	if p.around != "" {
		inner = fmt.Sprintf(p.around, inner)
	}
	host := s.host
	if p.anyHost {
		_, port, _ := net.SplitHostPort(s.host)
		host = ":" + port
	}
	s.text = siteText(host, s.secure, inner)
	return s.configuration(s.text)
}

// siteText is a site of a Caddyfile.
func siteText(host string, secure bool, inner string) string {
	if secure {
		return "https://" + host + " {\nbind 127.0.0.1\ntls internal\n" + inner + "\n}\n"
	}
	return "http://" + host + " {\nbind 127.0.0.1\n" + inner + "\n}\n"
}

// configuration is what Caddy is given for some sites.
func (s *site) configuration(sites ...string) []byte {
	s.t.Helper()
	options := "auto_https off"
	if strings.Contains(strings.Join(sites, ""), "https://") {
		options = "auto_https disable_redirects\nskip_install_trust"
	}
	text := "{\n" + options + "\nmetrics\n}\n" + strings.Join(sites, "")
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		s.t.Fatalf("adapting: %v\n%s", err, text)
	}
	var config map[string]any
	if err := json.Unmarshal(adapted, &config); err != nil {
		s.t.Fatal(err)
	}
	config["admin"] = map[string]any{"disabled": true, "config": map[string]any{"persist": false}}
	config["storage"] = map[string]any{"module": cmp.Or(s.storage, "file_system"), "root": filepath.Join(s.dir, "storage")}
	config["logging"] = map[string]any{"logs": map[string]any{"default": map[string]any{
		"level": "DEBUG", "writer": map[string]any{"output": "file", "filename": filepath.Join(s.dir, "caddy.log")},
	}}}
	result, err := json.Marshal(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

// another is a site that stands beside the one of the profile, with the same
// application, storage and secret.
type another struct {
	lines  string // of the block
	after  string // what stands behind panelauth
	plain  string // what stands there instead of all that
	secure bool
}

// serveBeside serves another site beside the one of the profile, until the test
// ends or there is a third.
func serveBeside(s *site, lines ...string) *site {
	s.t.Helper()
	return besideWith(s, another{lines: strings.Join(lines, "\n")})
}

func besideWith(s *site, a another) *site {
	s.t.Helper()
	other := *s
	other.address = freeAddress(s.t)
	_, port, _ := net.SplitHostPort(other.address)
	other.host, other.secure = siteName+":"+port, a.secure
	if !strings.Contains(a.lines, "cookie_secret") {
		a.lines += "\ncookie_secret {env.COOKIE_SECRET}"
	}
	inner := "route {\npanelauth {\n" + a.lines + "\nlogin_attempts 1000 1s\n}\n" + a.after + "\n" + proxyTo(s.app) + "\n}"
	if a.plain != "" {
		inner = a.plain
	}
	other.config = s.configuration(s.text, siteText(other.host, a.secure, inner))
	other.load()
	s.t.Cleanup(s.load)
	return &other
}

// load loads the configuration and waits until the site answers. What ran before
// closes its sockets a moment later, and with them what is waiting there.
func (s *site) load() {
	s.t.Helper()
	if err := caddy.Load(s.config, true); err != nil {
		s.t.Fatalf("loading: %v\n%s", err, s.config)
	}
	answered := 0
	s.eventually("the site answers", func() bool {
		_, conn, _, err := s.exchange(get("/favicon.ico").bytes(s.host), http.MethodGet)
		if conn != nil {
			_ = conn.Close()
		}
		if answered++; err != nil {
			answered = 0
		}
		return answered == 5 || answered == 1 && !s.running
	})
	s.running = true
	s.app.requests()
}

// eventually waits for something that happens by itself.
func (s *site) eventually(what string, happened func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatal("did not happen:", what)
		}
	}
}

// freeAddress is one that nobody listens at. It is below the ports that systems
// hand out by themselves, so that nobody is given it in the meantime.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err == nil {
			return address
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// newFolder is a folder that may still be written to while it is deleted.
func newFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "panelauth-attack-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for deadline := time.Now().Add(patience); os.RemoveAll(dir) != nil && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
	})
	return dir
}

// signIn signs somebody in with a password and returns the session's cookie.
func (s *site) signIn(user, password string) [2]string {
	s.t.Helper()
	a := s.send(form("/login", url.Values{"username": {user}, "password": {password}}))
	value := a.cookie(s.sessionCookie())
	if a.status != http.StatusSeeOther || value == "" {
		s.t.Fatalf("%s cannot sign in: %d\n%s", user, a.status, a.body)
	}
	return [2]string{s.sessionCookie(), value}
}

// anybody signs in whichever way the profile has.
func (s *site) anybody(user string) [2]string {
	s.t.Helper()
	if s.provider != nil {
		flow := s.begin("/login")
		return flow.finish(user)
	}
	// In the profiles with accounts, alice has one; elsewhere any name will do.
	a := s.send(form("/login", url.Values{"username": {user}, "password": {master}}))
	if value := a.cookie(s.sessionCookie()); value != "" {
		return [2]string{s.sessionCookie(), value}
	}
	return s.signIn(user, alicesPassword)
}

// flow is a sign-in under way at a provider.
type flow struct {
	s       *site
	address string // of the provider, where it goes on
	cookies [][2]string
}

func (s *site) begin(path string) flow {
	s.t.Helper()
	if s.second != nil && !strings.Contains(path, "provider=") {
		path += "?provider=one"
	}
	a := s.send(get(path).page())
	if a.status != http.StatusFound {
		s.t.Fatalf("sign-in does not begin: %d\n%s", a.status, a.body)
	}
	return flow{s, a.location(), a.cookies()}
}

// params are those of the authorization request.
func (f flow) params() url.Values {
	f.s.t.Helper()
	u, err := url.Parse(f.address)
	if err != nil {
		f.s.t.Fatal(err)
	}
	return u.Query()
}

// visit agrees at the provider, as one of its users, and returns what it says.
func (f flow) visit(user string) url.Values {
	f.s.t.Helper()
	at := f.s.provider
	if f.s.second != nil && strings.HasPrefix(f.address, f.s.second.URL) {
		at = f.s.second
	}
	return at.Visit(f.s.t, f.address+"&login_hint="+url.QueryEscape(user))
}

// back brings the browser back from the provider.
func (f flow) back(params url.Values) answer {
	return f.s.send(get("/login?" + params.Encode()).page().as(f.cookies...))
}

func (f flow) finish(user string) [2]string {
	f.s.t.Helper()
	a := f.back(f.visit(user))
	value := a.cookie(f.s.sessionCookie())
	if a.status != http.StatusSeeOther || value == "" {
		f.s.t.Fatalf("cannot sign in with the provider: %d\n%s", a.status, a.body)
	}
	return [2]string{f.s.sessionCookie(), value}
}
