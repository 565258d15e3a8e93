// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// keysFile is a credentials file with a key of alice's and one of robot's, who
// has no password.
func keysFile(alice, robot string) string {
	return `{
		"alice": {"password": "` + testPassword + `", "groups": ["staff"], "api_keys": {"laptop": "` + alice + `"}},
		"robot": {"name": "A robot", "api_keys": {"ci": "` + robot + `"}}
	}`
}

func TestAPIKey(t *testing.T) {
	alice, aliceHash := newAPIKey()
	robot, robotHash := newAPIKey()
	path := newFile(t, "users.json", keysFile(aliceHash, robotHash))
	s := newSite(t, accountsFile(path), basicHeader, identityHeaders)
	for user, key := range map[string]string{testUser: alice, "robot": robot} {
		for _, show := range []func(*http.Request){bearerOf(key), basic(user, key), header("Authorization", "bearer  "+key)} {
			a := s.serve(get("/app", show))
			a.wantUser(user)
			if len(a.Cookies()) > 0 || s.app.got.Header["Authorization"] != nil {
				t.Error("a cookie is set, or the key passed on")
			}
			provider, _ := replacerOf(s.app.got).GetString("http.auth.user.provider")
			if provider != "api_key" {
				t.Errorf("the provider is %q", provider)
			}
		}
	}
	if got := s.app.got.Header.Get("Remote-User"); got == "" {
		t.Error("no headers")
	}

	for name, show := range map[string]func(*http.Request){
		"another's name":   basic("robot", alice),
		"no name":          basic("", alice),
		"a name in case":   basic("Alice", alice),
		"the hash":         basic(testUser, aliceHash),
		"no password":      basic("robot", ""),
		"another's secret": basic(testUser, alice[:23]+robot[23:]),
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t).serve(get("/app", show, from("198.51.100.1:1"))).wantRefusal(http.StatusUnauthorized, "invalid_credentials")
		})
	}
	unknown, _ := newAPIKey()
	for name, key := range map[string]string{
		"unknown":          unknown,
		"another's secret": alice[:23] + robot[23:],
		"cut":              alice[:len(alice)-1],
		"longer":           alice + "A",
		"in lower case":    strings.ToLower(alice),
		"only the prefix":  apiKeyPrefix,
		"only the id":      alice[:22],
	} {
		t.Run(name, func(t *testing.T) {
			a := s.in(t).serve(get("/app", bearerOf(key), header("Accept", "text/html")))
			a.wantRefusal(http.StatusUnauthorized, "invalid_token")
			a.wantChallenge(`Bearer realm="panelauth", error="invalid_token"`)
		})
	}
	a := s.serve(get("/app", bearerOf(aliceHash)))
	a.wantRefusal(http.StatusBadRequest, "invalid_request")
}

// TestAPIKeyRevoked: what is taken out of the file is good no more, and what is
// new in it is good at once.
func TestAPIKeyRevoked(t *testing.T) {
	alice, aliceHash := newAPIKey()
	robot, robotHash := newAPIKey()
	path := newFile(t, "users.json", `{"alice": "`+testPassword+`"}`)
	s := newSite(t, accountsFile(path), guestPages("/app"))
	s.serve(get("/app", bearerOf(alice))).wantRefusal(http.StatusUnauthorized, "invalid_token") // and no guest
	writeFile(t, path, keysFile(aliceHash, robotHash))
	s.serve(get("/app", bearerOf(alice))).wantUser(testUser)
	s.serve(get("/app", bearerOf(robot))).wantUser("robot")

	writeFile(t, path, `{"alice": {"password": "`+testPassword+`", "api_keys": {"renamed": "`+aliceHash+`"}}, "robot": "a password"}`)
	eventually(t, "the file is read", func() bool { return len(s.accounts().keys) == 1 })
	s.serve(get("/app", bearerOf(alice))).wantUser(testUser)
	s.serve(get("/app", bearerOf(robot))).wantRefusal(http.StatusUnauthorized, "invalid_token")

	writeFile(t, path, `{"bob": {"password": "x", "api_keys": {"laptop": "`+aliceHash+`"}}}`)
	eventually(t, "the file is read", func() bool { return s.accounts().entry("bob").Password == "x" })
	s.serve(get("/app", bearerOf(alice))).wantUser("bob")
}

// TestAPIKeyAttempts: wrong keys are limited, and keep nobody else out.
func TestAPIKeyAttempts(t *testing.T) {
	key, hash := newAPIKey()
	s := newSite(t, accountsFile(newFile(t, "users.json", keysFile(hash, second(newAPIKey())))), basicHeader)
	c := s.withClock()
	wrong, _ := newAPIKey()
	for range 20 {
		s.serve(get("/app", bearerOf(wrong))).wantRefusal(http.StatusUnauthorized, "invalid_token")
	}
	logged := s.logs.Len()
	for _, show := range []func(*http.Request){bearerOf(wrong), basic(testUser, wrong)} {
		a := s.serve(get("/app", show))
		a.wantRefusal(http.StatusTooManyRequests, "too_many_attempts")
		a.wantHeader("Retry-After", "120")
	}
	if s.logs.Len() != logged {
		t.Error("the log grows on")
	}
	s.serve(get("/app", bearerOf(key))).wantUser(testUser)
	s.serve(get("/app", basic(testUser, testPassword))).wantUser(testUser)
	s.signInAlice()
	c.pass(2 * time.Minute)
	s.serve(get("/app", bearerOf(wrong))).wantRefusal(http.StatusUnauthorized, "invalid_token")
}

func second(_, hash string) string { return hash }

// TestAPIKeyAccountHasNoPassword: who has only keys signs in nowhere.
func TestAPIKeyAccountHasNoPassword(t *testing.T) {
	s := newSite(t, accountsFile(newFile(t, "users.json", keysFile(second(newAPIKey()), second(newAPIKey())))), basicHeader)
	for _, password := range []string{"", " ", "robot", "null"} {
		s.serve(post("/login", credentialsForm("robot", password))).want(http.StatusUnauthorized)
	}
	key, hash := newAPIKey()
	s = newSite(t, accountsFile(newFile(t, "users.json", keysFile(hash, second(newAPIKey())))))
	s.serve(post("/login", credentialsForm(testUser, key))).want(http.StatusUnauthorized)
	s.serve(get("/app", basic(testUser, key), header("Accept", "application/json"))).wantRefusal(http.StatusUnauthorized, "unauthenticated")
}

func TestAPIKeysInFile(t *testing.T) {
	key, hash := newAPIKey()
	many := make(map[string]string)
	for range maxAPIKeys + 1 {
		k, h := newAPIKey()
		many[k[10:20]] = h
	}
	tooMany, _ := json.Marshal(many)
	for name, test := range map[string]struct{ keys, says string }{
		"the key itself":      {`{"ci": "` + key + `"}`, `user "robot": API key "ci": this is the key itself`},
		"a bcrypt hash":       {`{"ci": "$2a$10$abc"}`, "not the hash of an API key"},
		"empty":               {`{"ci": ""}`, "not the hash of an API key"},
		"cut":                 {`{"ci": "` + hash[:40] + `"}`, "not the hash of an API key"},
		"twice":               {`{"ci": "` + hash + `", "cd": "` + hash + `"}`, "there twice"},
		"a name twice":        {`{"ci": "` + hash + `", "ci": "` + second(newAPIKey()) + `"}`, `"ci" is there twice`},
		"a name that is long": {`{"` + strings.Repeat("x", 65) + `": "` + hash + `"}`, "name"},
		"no name":             {`{"": "` + hash + `"}`, "name"},
		"a list":              {`["` + key + `"]`, "must be an object"},
		"a text":              {`"` + key + `"`, "must be an object"},
		"no texts":            {`{"ci": 5}`, "must be an object"},
		"too many":            {string(tooMany), "more than 100"},
		"none, no password":   {`{}`, "the password is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseCredentials("{\n\"alice\": \"x\",\n\"robot\": {\"api_keys\": " + test.keys + "}}")
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), key) || strings.Contains(err.Error(), key[23:]) {
				t.Errorf("the key is in the error: %v", err)
			}
		})
	}
	for name, text := range map[string]string{
		"of everybody":            `{"*": {"password": "x", "api_keys": {"ci": "` + hash + `"}}}`,
		"the same of two":         `{"a": {"api_keys": {"x": "` + hash + `"}}, "b": {"api_keys": {"y": "` + hash + `"}}}`,
		"the key as a password":   `{"a": "` + key + `"}`,
		"the hash as a password":  `{"a": {"password": "` + hash + `"}}`,
		"the field in other case": `{"a": {"api_keys": {}, "API_KEYS": {}, "password": "x"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseCredentials(text); err == nil || strings.Contains(err.Error(), key) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAPIKeyCommand(t *testing.T) {
	run := func(args ...string) (key, line string) {
		t.Helper()
		out, err := run(t, append([]string{"api-key"}, args...)...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if err != nil || len(lines) != 3 { // with what goes to stderr
			t.Fatalf("%v: %q", err, out)
		}
		return lines[1], lines[2]
	}
	key, line := run(testUser, "--name", "the build server")
	if !isAPIKey(key) || strings.Contains(line, key) || !strings.HasPrefix(line, `"api_keys": {"the build server":`) {
		t.Fatalf("got %q, %q", key, line)
	}
	s := newSite(t, accountsFile(newFile(t, "users.json", `{"alice": {`+line+`}}`)))
	s.serve(get("/app", bearerOf(key))).wantUser(testUser)
	if other, line := run(testUser); other == key || !strings.Contains(line, `"default"`) {
		t.Errorf("got %q, %q", other, line)
	}
}

func TestAPIKeyCommandRefuses(t *testing.T) {
	for _, args := range [][]string{
		{}, {""}, {"alice", "bob"}, {"guest"}, {"*"}, {" alice"}, {"alice", "--name", ""}, {"alice", "--name", "a\nb"},
	} {
		if out, err := run(t, append([]string{"api-key"}, args...)...); err == nil {
			t.Errorf("%q prints %q", args, out)
		}
	}
}

func FuzzFindKey(f *testing.F) {
	key, hash := newAPIKey()
	accounts, err := parseCredentials(keysFile(hash, second(newAPIKey())))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key)
	f.Add(key[:22])
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := accounts.findKey(text); ok != (text == key) {
			t.Errorf("%q: %t", text, ok)
		}
	})
}
