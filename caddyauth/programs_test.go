// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func basicHeader(h *Handler) { h.BasicAuthHeader = true }

func basic(user, password string) func(*http.Request) {
	return header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
}

func bearerOf(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }

// wantRefusal checks what a program is told: JSON, never a page or a redirect.
func (a answer) wantRefusal(status int, reason string) {
	a.t.Helper()
	a.wantRefusedHere(status)
	a.wantHeader("Content-Type", "application/json")
	a.wantHeader("Location", "")
	if want := `{"error":"` + reason + `"`; !strings.HasPrefix(a.text, want) {
		a.t.Errorf("the body is %q, want %s…", a.text, want)
	}
	if len(a.Cookies()) > 0 {
		a.t.Errorf("it sets cookies: %q", a.Cookies())
	}
}

func (a answer) wantChallenge(parts ...string) {
	a.t.Helper()
	got := strings.Join(a.Header["Www-Authenticate"], "\n")
	if len(parts) == 0 && got != "" {
		a.t.Errorf("the challenge is %q", got)
	}
	for _, part := range parts {
		if !strings.Contains(got, part) {
			a.t.Errorf("the challenge is %q, want %q", got, part)
		}
	}
}

func TestBasicHeader(t *testing.T) {
	s := newSite(t, basicHeader, identityHeaders)
	for name, options := range map[string][]func(*http.Request){
		"a page":                  {},
		"an asset":                {header("Accept", "image/png")},
		"a websocket":             {websocket},
		"from a program's cookie": {cookieLine("theme=dark; user=mallory")},
		"with another's header":   {header("Remote-User", "mallory"), header("Connection", "Authorization, Remote-User")},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.in(t).serve(get("/app", append(options, basic(testUser, testPassword))...))
			a.wantUser(testUser)
			if got := s.app.got.Header; got["Authorization"] != nil || got.Get("Remote-User") != testUser {
				t.Errorf("the application gets %v", got)
			}
			if len(a.Cookies()) > 0 {
				t.Errorf("it gets cookies: %v", a.Cookies())
			}
			if s.seenByPanel()["user"] != testUser {
				t.Errorf("Panel sees %v", s.seenByPanel())
			}
		})
	}
	for _, scheme := range []string{"basic", "BASIC", "Basic ", "Basic\t", "  Basic"} {
		a := s.serve(get("/app", header("Authorization", scheme+" YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5")))
		a.wantUser(testUser)
	}
}

func TestBasicHeaderRefused(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	for name, test := range map[string]struct {
		value string
	}{
		"wrong password":     {"Basic " + encode([]byte("alice:wrong"))},
		"unknown user":       {"Basic " + encode([]byte("nobody:"+testPassword))},
		"no password":        {"Basic " + encode([]byte("alice:"))},
		"no colon":           {"Basic " + encode([]byte("alice"))},
		"nothing":            {"Basic"},
		"nothing but spaces": {"Basic   "},
		"empty":              {"Basic " + encode([]byte(":"))},
		"no base64":          {"Basic alice:" + testPassword},
		"padded twice":       {"Basic " + encode([]byte("alice:"+testPassword)) + "=="},
		"two words":          {"Basic " + encode([]byte("alice:"+testPassword)) + " x"},
		"two schemes":        {"Basic " + encode([]byte("alice:"+testPassword)) + ", Bearer x"},
		"space before":       {"Basic " + encode([]byte(" alice:"+testPassword))},
		"space after":        {"Basic " + encode([]byte("alice :"+testPassword))},
		"another case":       {"Basic " + encode([]byte("Alice:"+testPassword))},
		"NUL in the name":    {"Basic " + encode([]byte("alice\x00:"+testPassword))},
		"NUL behind":         {"Basic " + encode([]byte("alice:"+testPassword+"\x00"))},
		"not UTF-8":          {"Basic " + encode([]byte("alice\xff:"+testPassword))},
		"guest":              {"Basic " + encode([]byte("guest:"+testPassword))},
		"long password":      {"Basic " + encode([]byte("alice:"+strings.Repeat("x", 8<<10)))},
		"long name":          {"Basic " + encode([]byte(strings.Repeat("x", 8<<10)+":"+testPassword))},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range [][]func(*http.Request){{}, {header("Accept", "text/html")}, {websocket}} {
				for _, mode := range []func(*Handler){basicHeader, optional, guestPages("/app")} {
					s := newSite(t, basicHeader, mode)
					a := s.serve(get("/app", append(kind, header("Authorization", test.value))...))
					a.wantRefusal(http.StatusUnauthorized, "invalid_credentials")
					a.wantChallenge(`Basic realm="panelauth", charset="UTF-8"`)
				}
			}
		})
	}
}

func TestDecodeBasic(t *testing.T) {
	for value, want := range map[string]string{
		"YTpi": "a|b", "YTo=": "a|", "OmI=": "|b", "YTpiOmM=": "a|b:c", "w6k6w6k=": "é|é",
		"YTpiYg": "", "YTpi_-": "", "YTpiYh==": "", "YTp i": "", "YWI=": "", "": "", "/zpi": "",
	} {
		user, password, ok := decodeBasic(value)
		if got := user + "|" + password; ok != (want != "") || ok && got != want {
			t.Errorf("%q is %q, %t", value, got, ok)
		}
	}
}

func TestBasicHeaderMasterPassword(t *testing.T) {
	s := newSite(t, masterPassword, basicHeader)
	s.serve(get("/app", basic("zoë", testPassword))).wantUser("zoë")
	s.serve(get("/app", basic("a:b", testPassword))).wantRefusal(http.StatusUnauthorized, "invalid_credentials") // RFC 7617: a name has no colon
	for _, user := range []string{"", "guest", " ", "x\x7f", "x\u200b"} {
		s.serve(get("/app", basic(user, testPassword), from("192.0.2.77:1"))).wantRefusal(http.StatusUnauthorized, "invalid_credentials")
	}
}

// TestAuthorizationOfTheApplication: what is not for panelauth stays as it is,
// and makes nobody anybody.
func TestAuthorizationOfTheApplication(t *testing.T) {
	basicValue := "Basic YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"
	for name, test := range map[string]struct {
		value     string
		configure func(*Handler)
	}{
		"Basic, switched off": {basicValue, func(*Handler) {}},
		"Bearer, none taken":  {"Bearer abc", basicHeader},
		"Digest":              {"Digest username=alice", basicHeader},
		"Negotiate":           {"Negotiate abc", basicHeader},
		"Basically":           {"Basically abc", basicHeader},
		"empty":               {"", basicHeader},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, test.configure)
			set := func(r *http.Request) { r.Header["Authorization"] = []string{test.value} }
			s.serve(get("/app", set, browser)).want(http.StatusFound)
			s.serve(get("/app", set, header("Accept", "application/json"))).wantRefusal(http.StatusUnauthorized, "unauthenticated")
			s.serve(get("/app", set, cookieLine(s.signInAlice()))).wantUser(testUser)
			if got := s.app.got.Header.Get("Authorization"); got != test.value {
				t.Errorf("the application gets %q", got)
			}
		})
	}
}

// TestAuthorizationAndCookie: what a request shows is never passed over for its
// cookie.
func TestAuthorizationAndCookie(t *testing.T) {
	s := newSite(t, basicHeader, func(h *Handler) { h.BasicAuth.Accounts["bob"] = "tr0ub4dor&3" })
	alice := s.signInAlice()
	s.serve(get("/app", cookieLine(alice), basic("bob", "tr0ub4dor&3"))).wantUser("bob")
	s.serve(get("/app", cookieLine(alice), basic("bob", "wrong"))).wantRefusal(http.StatusUnauthorized, "invalid_credentials")
	two := func(r *http.Request) {
		basic("bob", "tr0ub4dor&3")(r)
		r.Header.Add("Authorization", "Bearer something")
	}
	for _, options := range [][]func(*http.Request){{two}, {two, cookieLine(alice)}, {two, browser}} {
		a := s.serve(get("/app", options...))
		a.wantRefusal(http.StatusBadRequest, "invalid_request")
		a.wantChallenge(`error="invalid_request"`)
	}
	twice := func(r *http.Request) {
		r.Header["Authorization"] = []string{r.Header.Get("Authorization"), r.Header.Get("Authorization")}
	}
	s.serve(get("/app", basic("bob", "tr0ub4dor&3"), twice)).wantRefusal(http.StatusBadRequest, "invalid_request")
}

// TestBasicChallenge: a browser that were challenged would ask for a password by
// itself, and add it to what other sites ask for from then on.
func TestBasicChallenge(t *testing.T) {
	s := newSite(t, basicHeader)
	program := header("Accept", "application/json")
	s.serve(get("/app", program)).wantChallenge("Basic realm")
	s.serve(get("/app/ws", websocket)).wantChallenge("Basic realm")
	s.serve(request("POST", "/app", header("User-Agent", "python-requests/2"))).wantChallenge("Basic realm")
	s.serve(get("/app", browser)).wantChallenge()
	for name, value := range map[string]string{
		"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image",
		"X-Requested-With": "XMLHttpRequest", "Origin": "http://" + testHost, "User-Agent": "Mozilla/5.0 (X11)",
	} {
		for _, options := range [][]func(*http.Request){{program}, {websocket}, {program, basic("wrong "+name, "wrong")}} {
			a := s.serve(get("/app", append(options, header(name, value))...))
			a.want(http.StatusUnauthorized)
			a.wantChallenge()
		}
	}
	off := newSite(t)
	off.serve(get("/app", program)).wantChallenge()
}

// TestBasicFromAnotherSite: a browser may add a password by itself to what
// another site asks for.
func TestBasicFromAnotherSite(t *testing.T) {
	s := newSite(t, basicHeader, func(h *Handler) { h.CORSPreflight = []string{"https://docs.example.com"} })
	for _, site := range []string{"cross-site", "same-site", "anything"} {
		a := s.serve(request("POST", "/app", basic(testUser, testPassword), header("Sec-Fetch-Site", site), header("Origin", "https://evil.example")))
		a.wantRefusal(http.StatusForbidden, "cross_origin")
		s.serve(get("/app", browser, header("Sec-Fetch-Site", site), basic(testUser, testPassword))).wantRefusal(http.StatusForbidden, "cross_origin")
		s.serve(get("/app", basic(testUser, testPassword), header("Sec-Fetch-Site", site), header("Origin", "https://docs.example.com"))).wantUser(testUser)
	}
	for _, site := range []string{"same-origin", "none"} {
		s.serve(get("/app", basic(testUser, testPassword), header("Sec-Fetch-Site", site))).wantUser(testUser)
	}
	s.serve(get("/app/ws", websocket, basic(testUser, testPassword), header("Origin", "https://evil.example"))).wantRefusal(http.StatusForbidden, "cross_origin")
}

func TestBasicHeaderAttempts(t *testing.T) {
	s := newSite(t, basicHeader)
	c := s.withClock()
	for range 5 {
		s.serve(get("/app", basic(testUser, "wrong"))).wantRefusal(http.StatusUnauthorized, "invalid_credentials")
	}
	a := s.serve(get("/app", basic(testUser, testPassword)))
	a.wantRefusal(http.StatusTooManyRequests, "too_many_attempts")
	a.wantHeader("Retry-After", "120")
	a.wantChallenge()
	// The form and the header share the limit.
	s.serve(post("/login", credentialsForm(testUser, testPassword))).want(http.StatusTooManyRequests)
	s.serve(get("/app", basic(testUser, testPassword), from("198.51.100.9:1"))).wantUser(testUser)
	c.pass(2 * time.Minute)
	s.serve(get("/app", basic(testUser, testPassword))).wantUser(testUser)
}

// TestBasicHeaderKnown: who was let in is not an attempt again for a moment,
// whatever else is tried in their name.
func TestBasicHeaderKnown(t *testing.T) {
	file := newFile(t, "users.json", `{"alice": "`+bcryptOf(t, testPassword, 4)+`"}`)
	s := newSite(t, basicHeader, accountsFile(file))
	c := s.withClock()
	enter := func() answer { return s.serve(get("/app", basic(testUser, testPassword))) }
	enter().wantUser(testUser)
	known := s.programs.known.Keys()[0]
	first, _ := s.programs.known.Get(known)
	for range 5 {
		s.serve(get("/app", basic(testUser, "wrong"))).want(http.StatusUnauthorized)
	}
	c.pass(programMemory - 1)
	enter().wantUser(testUser)
	if again, _ := s.programs.known.Get(known); again != first {
		t.Error("it was checked again")
	}
	c.pass(1)
	enter().wantRefusal(http.StatusTooManyRequests, "too_many_attempts")

	c.pass(time.Hour)
	enter().wantUser(testUser)
	writeFile(t, file, `{"alice": "`+bcryptOf(t, "another password", 4)+`"}`)
	s.credentialsFile.refresh()
	enter().wantRefusal(http.StatusUnauthorized, "invalid_credentials")
	writeFile(t, file, `{"bob": "`+bcryptOf(t, testPassword, 4)+`"}`)
	s.credentialsFile.refresh()
	enter().wantRefusal(http.StatusUnauthorized, "invalid_credentials")
	if len(s.programs.known.Keys()) > 2 {
		t.Error("what was wrong is remembered")
	}
}

// TestBasicHeaderAtOnce: a script that begins with many requests makes one
// attempt.
func TestBasicHeaderAtOnce(t *testing.T) {
	s := newSite(t, basicHeader, func(h *Handler) {
		h.BasicAuth.Accounts[testUser] = bcryptOf(t, testPassword, 8)
	})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			here := s.in(t)
			here.app = &application{}
			here.serve(get("/app", basic(testUser, testPassword))).wantUser(testUser)
		})
	}
	all.Wait()
}

func TestBasicHeaderBusy(t *testing.T) {
	s := newSite(t, basicHeader, func(h *Handler) { h.BasicAuth.Accounts[testUser] = bcryptOf(t, testPassword, 4) })
	former := hashes
	hashes = newHashGate(1, 0)
	t.Cleanup(func() { hashes = former })
	hashes.places <- struct{}{}
	a := s.serve(get("/app", basic(testUser, testPassword)))
	a.wantRefusal(http.StatusServiceUnavailable, "busy")
	a.wantHeader("Retry-After", "5")
	<-hashes.places
	s.serve(get("/app", basic(testUser, testPassword))).wantUser(testUser)
}

// TestProgramsAndLogs: nothing that a program shows is in the log.
func TestProgramsAndLogs(t *testing.T) {
	key, hash := newAPIKey()
	file := newFile(t, "users.json", `{"alice": {"password": "`+testPassword+`", "api_keys": {"ci": "`+hash+`"}}}`)
	s := newSite(t, basicHeader, accountsFile(file))
	other, _ := newAPIKey()
	secrets := []string{testPassword, "hunter2-and-more", key[25:], other[25:], "Basic YW"}
	for _, show := range []func(*http.Request){
		basic(testUser, testPassword), basic(testUser, "hunter2-and-more"), basic(testUser, key), basic("bob", key),
		bearerOf(key), bearerOf(other), basic(testUser, other), bearerOf(other + "="), header("Authorization", "Bearer"),
	} {
		s.serve(get("/app", show))
	}
	for _, entry := range s.logs.All() {
		for _, field := range entry.Context {
			for _, secret := range secrets {
				if strings.Contains(field.String, secret) || field.Interface != nil && strings.Contains(strings.ToLower(field.Key), "authorization") {
					t.Errorf("%s: %s", entry.Message, field.Key)
				}
			}
		}
	}
	refused := s.logs.FilterMessage("sign-in failed").All()
	if len(refused) == 0 || refused[0].ContextMap()["event"] != "login_failed" || refused[0].ContextMap()["method"] != "basic" {
		t.Errorf("the log has %v", refused)
	}
}

// TestProgramsGetNoPages: whatever refuses a program says so in JSON.
func TestProgramsGetNoPages(t *testing.T) {
	s := newSite(t, basicHeader)
	for name, r := range map[string]*http.Request{
		"too many cookies": get("/app", browser, basic(testUser, testPassword), cookieLine(strings.Repeat("a=b;", 2000))),
		"wrong":            get("/app", browser, header("Sec-Fetch-Site", ""), basic(testUser, "wrong")),
		"wrong, a form":    request("POST", "/app", header("Accept", "text/html"), basic(testUser, "wrong")),
	} {
		t.Run(name, func(t *testing.T) {
			a := s.in(t).serve(r)
			a.wantHeader("Content-Type", "application/json")
		})
	}
}

// TestProgramsSecondHandler: what the first has taken out of the request, the
// second knows by the way in that both have.
func TestProgramsSecondHandler(t *testing.T) {
	storage := newFlakyStorage(t)
	first, second := newSiteIn(t, storage, basicHeader), newSiteIn(t, storage)
	stranger := newSiteIn(t, storage, func(h *Handler) { h.BasicAuth.Accounts[testUser] = "another password" })
	for name, test := range map[string]struct {
		then *site
		user string
	}{"with the account": {second, testUser}, "with another password": {stranger, ""}} {
		t.Run(name, func(t *testing.T) {
			r := prepared(get("/app", basic(testUser, testPassword)))
			first.in(t).serve(r).wantReached()
			a := test.then.in(t).serve(r)
			if a.reached != (test.user != "") || a.user != test.user {
				t.Errorf("the user is %q", a.user)
			}
		})
	}
}

// TestRefusalsForPrograms: who does not accept HTML gets none, whatever is
// wrong.
func TestRefusalsForPrograms(t *testing.T) {
	p := newOpenID(t)
	s := newSite(t, signInWith(p), withPassword, attemptsLimit(3, time.Minute))
	for _, accept := range []string{"application/json", "application/json, text/plain, */*", "text/plain", "image/*"} {
		t.Run(accept, func(t *testing.T) {
			s := s.in(t)
			s.door.attempts = newAttempts()
			accepting := header("Accept", accept)
			program := []func(*http.Request){accepting, header("Sec-Fetch-Mode", "cors")}
			form := func(password string, options ...func(*http.Request)) *http.Request {
				return post("/login", credentialsForm(testUser, password), append(program, options...)...)
			}
			for name, r := range map[string]*http.Request{
				"nobody":           get("/app", program...),
				"a form":           request("POST", "/app", program...),
				"another site":     form(testPassword, header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site")),
				"a wrong password": form("wrong"),
				"no form":          form("x", header("Content-Type", "text/plain")),
				"another method":   request("PUT", "/login", program...),
				"out, so":          request("PUT", "/logout", program...),
				"many cookies":     get("/app", append(program, cookieLine(strings.Repeat("a=b;", 2000)))...),
				"a websocket":      get("/ws", append(program, websocket, header("Origin", "https://evil.example"))...),
				"an answer":        get("/login?code=a&state=b", program...),
				"a way in":         get("/login?provider=oidc", program...),
			} {
				a := s.serve(r)
				if a.reached || a.StatusCode < 400 || a.Header.Get("Content-Type") != "application/json" {
					t.Errorf("%s: got %d, %s", name, a.StatusCode, a.Header.Get("Content-Type"))
				}
			}
			for range 3 {
				s.serve(form("wrong"))
			}
			a := s.serve(form(testPassword))
			a.wantRefusal(http.StatusTooManyRequests, "too_many_attempts")
		})
	}
}
