// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// providerNet is the internet of the tests: it leads to the fake providers by
// their addresses, without sockets, so that it works on a fake clock too.
type providerNet struct {
	mu    sync.Mutex
	hosts map[string]http.Handler // nil: nobody answers
}

var internet = &providerNet{hosts: make(map[string]http.Handler)}

// Package provider clones http.DefaultTransport unless it is of another kind.
func init() { http.DefaultTransport = internet }

var errNobodyThere = errors.New("connection refused")

func (n *providerNet) find(host string) http.Handler {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hosts[host]
}

func (n *providerNet) put(host string, handler http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host] = handler
}

// RoundTrip implements http.RoundTripper.
func (n *providerNet) RoundTrip(req *http.Request) (*http.Response, error) {
	handler := n.find(req.URL.Host)
	if handler == nil {
		return nil, errNobodyThere
	}
	arriving := req.Clone(req.Context())
	arriving.Host, arriving.RequestURI = req.URL.Host, req.URL.RequestURI()
	if arriving.Body == nil {
		arriving.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	if err := answerOrFail(handler, recorder, arriving); err != nil {
		return nil, err
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

// answerOrFail lets a fault panic with the error that a client would see.
func answerOrFail(handler http.Handler, w http.ResponseWriter, r *http.Request) (failure error) {
	defer func() {
		if err, ok := recover().(error); ok {
			failure = err
		}
	}()
	handler.ServeHTTP(w, r)
	return nil
}

// connected makes a provider reachable. Start it outside of a bubble of package
// synctest, which would wait for its socket.
func connected(t testing.TB, s *providertest.Server) *providertest.Server {
	t.Helper()
	internet.put(hostOfURL(s.URL), s)
	t.Cleanup(func() { internet.put(hostOfURL(s.URL), nil) })
	return s
}

func hostOfURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u.Host
}

// away makes a provider unreachable, until back.
func away(s *providertest.Server) { internet.put(hostOfURL(s.URL), nil) }
func back(s *providertest.Server) { internet.put(hostOfURL(s.URL), s) }

// newOpenID is a well-behaved OpenID provider.
func newOpenID(t testing.TB) *providertest.Server { return connected(t, providertest.Start(t)) }

// entryFor is the configuration of a provider that points at a server.
func entryFor(s *providertest.Server, edits ...func(*OAuthProvider)) OAuthProvider {
	entry := OAuthProvider{Name: s.Name, Key: s.ClientID, Secret: s.ClientSecret, ExtraParams: maps.Clone(s.Params)}
	for _, edit := range edits {
		edit(&entry)
	}
	return entry
}

func called(id string) func(*OAuthProvider) { return func(p *OAuthProvider) { p.ID = id } }

func comingBackTo(uri string) func(*OAuthProvider) {
	return func(p *OAuthProvider) { p.RedirectURI = uri }
}

func withParam(name, value string) func(*OAuthProvider) {
	return func(p *OAuthProvider) { p.ExtraParams[name] = value }
}

// entries adds providers and leaves nobody a password.
func entries(list ...OAuthProvider) func(*Handler) {
	return func(h *Handler) {
		h.BasicAuth = nil
		h.OAuthProvider = append(h.OAuthProvider, list...)
	}
}

func signInWith(s *providertest.Server, edits ...func(*OAuthProvider)) func(*Handler) {
	return entries(entryFor(s, edits...))
}

// withPassword gives alice her password back.
func withPassword(h *Handler) {
	h.BasicAuth = &BasicAuth{Accounts: map[string]string{testUser: testPassword}}
}

func refreshTokens(h *Handler) { h.OAuthRefreshTokens = true }
func tokenEndpoint(h *Handler) { h.TokenEndpoint = true }

// panelGets asks for cookies of Panel's.
func panelGets(names ...string) func(*Handler) {
	return func(h *Handler) { h.PanelCookies = names }
}

// visitor is a person with a browser: it keeps cookies as browsers do, follows
// redirects, and agrees to everything a provider asks.
type visitor struct {
	*site
	jar    *cookiejar.Jar
	host   string
	strict map[string]bool // cookies with SameSite=Strict
	hint   string          // who they are to the provider
	trail  []string        // where the last visit led
}

func (s *site) newVisitor(hint string) *visitor {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &visitor{site: s, jar: jar, host: testHost, strict: make(map[string]bool), hint: hint}
}

// at is the same browser on another site.
func (v *visitor) at(s *site, host string) *visitor {
	there := *v
	there.site, there.host = s, host
	return &there
}

func (v *visitor) url(target string) *url.URL {
	u, err := url.Parse("https://" + v.host + pathAndQuery(target))
	if err != nil {
		v.t.Fatal(err)
	}
	return u
}

func pathAndQuery(target string) string {
	address, _, _ := strings.Cut(target, "#")
	if !strings.HasPrefix(address, "/") {
		return "/" + address // what a browser makes of an origin alone
	}
	return address
}

// open asks for one page, by its path.
func (v *visitor) open(target string, options ...func(*http.Request)) answer {
	v.t.Helper()
	return v.send(get(pathAndQuery(target), append([]func(*http.Request){browser}, options...)...))
}

// script asks for something as a script of the page does.
func (v *visitor) script(target string, options ...func(*http.Request)) answer {
	v.t.Helper()
	return v.open(target, append([]func(*http.Request){
		header("Accept", "*/*"), header("Sec-Fetch-Mode", "cors"), header("Sec-Fetch-Dest", "empty"),
		header("Sec-Fetch-Site", "same-origin"),
	}, options...)...)
}

// send sends a request with the browser's cookies, and keeps those it gets.
func (v *visitor) send(r *http.Request) answer {
	v.t.Helper()
	r.Host = v.host
	overTLS(r)
	u := v.url(r.URL.RequestURI())
	var pairs []string
	for _, cookie := range v.jar.Cookies(u) {
		if !v.strict[cookie.Name] || r.Header.Get("Sec-Fetch-Site") != "cross-site" {
			pairs = append(pairs, cookie.Name+"="+cookie.Value)
		}
	}
	if len(pairs) > 0 {
		r.Header.Add("Cookie", strings.Join(pairs, "; "))
	}
	a := v.serve(r)
	var kept []*http.Cookie
	for _, cookie := range a.Cookies() {
		if len(cookie.Name)+len(cookie.Value) > 4096 {
			continue // as RFC 6265bis wants it
		}
		v.strict[cookie.Name] = cookie.SameSite == http.SameSiteStrictMode
		kept = append(kept, cookie)
	}
	v.jar.SetCookies(u, kept)
	return a
}

// visit opens a page and goes wherever that leads, to providers and back.
func (v *visitor) visit(target string, options ...func(*http.Request)) answer {
	v.t.Helper()
	v.trail = nil
	return v.followFrom(v.open(target, options...))
}

func (v *visitor) followFrom(a answer) answer {
	v.t.Helper()
	for range 12 {
		location := a.Header.Get("Location")
		if location == "" || a.reached {
			return a
		}
		a = v.follow(location)
	}
	v.t.Fatalf("too many redirects: %q", v.trail)
	return a
}

// follow goes one step on: to a page here, or to a provider and back here.
func (v *visitor) follow(location string) answer {
	v.t.Helper()
	v.trail = append(v.trail, location)
	if !strings.Contains(location, "://") {
		return v.open(location, v.fetchSite())
	}
	next := v.atProvider(location)
	v.trail = append(v.trail, next)
	return v.open(strings.TrimPrefix(next, "https://"+v.host), header("Sec-Fetch-Site", "cross-site"))
}

// fetchSite is cross-site for all that follows a provider, as browsers say it
// of a chain of redirects.
func (v *visitor) fetchSite() func(*http.Request) {
	for _, step := range v.trail {
		if strings.Contains(step, "://") {
			return header("Sec-Fetch-Site", "cross-site")
		}
	}
	return header("Sec-Fetch-Site", "same-origin")
}

// atProvider goes to a provider, agrees and returns the address that it sends
// the visitor back to.
func (v *visitor) atProvider(address string) string {
	v.t.Helper()
	if v.hint != "" && strings.Contains(address, "response_type=") {
		address += "&login_hint=" + url.QueryEscape(v.hint)
	}
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	response, err := internet.RoundTrip(request)
	if err != nil {
		v.t.Fatalf("visiting %s: %v", address, err)
	}
	location := response.Header.Get("Location")
	if location == "" {
		v.t.Fatalf("the provider did not send the visitor back from %s: it answered %d", address, response.StatusCode)
	}
	return location
}

// begin goes to the login endpoint and returns the address at the provider.
func (v *visitor) begin(target string) string {
	v.t.Helper()
	a := v.open(target)
	a.want(http.StatusFound)
	location := a.Header.Get("Location")
	if !strings.Contains(location, "code_challenge=") {
		v.t.Fatalf("%s led to %q", target, location)
	}
	return location
}

// answerOf is the path and query that the provider answers a sign-in with.
func (v *visitor) answerOf(address string) string {
	v.t.Helper()
	u, err := url.Parse(v.atProvider(address))
	if err != nil {
		v.t.Fatal(err)
	}
	return u.RequestURI()
}

// comeBack brings a provider's answer.
func (v *visitor) comeBack(target string) answer {
	v.t.Helper()
	return v.open(target, header("Sec-Fetch-Site", "cross-site"))
}

// mustSignIn visits a page without a session and ends on it with one.
func (v *visitor) mustSignIn(target string) answer {
	v.t.Helper()
	a := v.visit(target)
	a.wantReached()
	return a
}

// wantSignedIn checks who a visitor is.
func (v *visitor) wantSignedIn(user string) {
	v.t.Helper()
	v.open("/private").wantUser(user)
}

// keeps are the names of the browser's cookies for a path.
func (v *visitor) keeps(target string) (names []string) {
	for _, cookie := range v.jar.Cookies(v.url(target)) {
		names = append(names, cookie.Name)
	}
	slices.Sort(names)
	return names
}

func (v *visitor) attempts() (names []string) {
	for _, name := range v.keeps("/login") {
		if strings.Contains(name, begunInfix) {
			names = append(names, name)
		}
	}
	return names
}

func (v *visitor) hasSession() bool {
	return slices.Contains(v.keeps("/"), "__Host-panelauth")
}

// seenByPanel opens the cookies that the application got, as Panel does.
func (s *site) seenByPanel() map[string]string {
	s.t.Helper()
	values := make(map[string]string)
	for pair := range strings.SplitSeq(s.app.got.Header.Get("Cookie"), "; ") {
		name, signed, _ := strings.Cut(pair, "=")
		if !isPanelCookie(name) {
			continue
		}
		value, err := tornado.Verify([]byte(testSecret), name, strings.Trim(signed, `"`), time.Now(), 24*time.Hour)
		if err != nil {
			value = "? " + signed
		}
		values[name] = value
	}
	return values
}

// infoOf is what an id_token says to Panel.
func infoOf(t testing.TB, token string) (info map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	plain, err := base64.RawURLEncoding.DecodeString(parts[len(parts)/2])
	if err != nil || json.Unmarshal(plain, &info) != nil {
		t.Fatalf("the token is %q: %v", token, err)
	}
	return info
}

func jsonOf(t testing.TB, a answer) (fields map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.text), &fields); err != nil {
		t.Fatalf("not JSON: %.200q", a.text)
	}
	return fields
}

// logText is all that was logged, at every level.
func (s *site) logText() string {
	var text strings.Builder
	for _, entry := range s.logs.All() {
		fmt.Fprintln(&text, entry.Level, entry.LoggerName, entry.Message, entry.ContextMap())
	}
	return text.String()
}

// failures are the log lines of sign-ins that came to nothing.
func (s *site) failures() (list []map[string]any) {
	for _, entry := range s.logs.All() {
		if fields := entry.ContextMap(); fields["event"] == "login_failed" {
			list = append(list, fields)
		}
	}
	return list
}

var hrefIn = regexp.MustCompile(`href="(/login[^"]*)"`)

var referenceOnPage = regexp.MustCompile(`<code>([0-9a-f]+)</code>`)

// wantFailed checks a page that says that a sign-in came to nothing: our words
// and a number under which the log has a reason.
func (v *visitor) wantFailed(a answer, status int, reason, words string) {
	v.t.Helper()
	a.wantRefusedHere(status)
	if words != "" {
		a.wantBody(html.EscapeString(words))
	}
	reference := referenceOnPage.FindStringSubmatch(a.text)
	if reference == nil {
		v.t.Fatalf("the page has no reference: %.600q", a.text)
	}
	failures := v.failures()
	if len(failures) == 0 {
		v.t.Fatal("nothing is logged")
	}
	last := failures[len(failures)-1]
	if last["reference"] != reference[1] || last["reason"] != reason || last["client_ip"] == "" {
		v.t.Errorf("the page has reference %s, the log %v, wanted reason %s", reference[1], last, reason)
	}
	if !strings.Contains(a.text, `href="/login`) {
		v.t.Errorf("the page has no way to try again: %.600q", a.text)
	}
	if (status == http.StatusServiceUnavailable) != (a.Header.Get("Retry-After") != "") {
		v.t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
	}
	if v.hasSession() {
		v.t.Error("there is a session")
	}
}

// asked is how often an endpoint of a provider was asked.
func asked(s *providertest.Server, e providertest.Endpoint) int { return len(s.Requests(e)) }

// edited changes the parameters of an answer.
func edited(target string, edit func(url.Values)) string {
	path, query, _ := strings.Cut(target, "?")
	params, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	edit(params)
	return path + "?" + params.Encode()
}

// onFakeTime runs a test in which sleeping takes no time. Start providers before
// it, since their sockets know nothing of that.
func onFakeTime(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(time.Minute) }) // for what certmagic does with its locks
		test(t)
	})
}
