// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

func TestParseCredentials(t *testing.T) {
	hash := bcryptOf(t, "hunter2", bcrypt.MinCost)
	tests := []struct {
		name, file string
		want       map[string]account
	}{
		{"plain", `{"user1": "my_password", "admin": "other"}`, map[string]account{"user1": {Password: "my_password"}, "admin": {Password: "other"}}},
		{"bcrypt", fmt.Sprintf(`{"admin": %q}`, hash), map[string]account{"admin": {Password: hash}}},
		{"argon2id", fmt.Sprintf(`{"admin": %q}`, argonOfHorse), map[string]account{"admin": {Password: argonOfHorse}}},
		{"object", `{"bob": {"password": "p", "name": "Bob B.", "email": "bob@x.org", "groups": ["a", "b,c"]}}`,
			map[string]account{"bob": {Password: "p", Name: "Bob B.", Email: "bob@x.org", Groups: []string{"a", "b,c"}}}},
		{"object with a password alone", `{"bob": {"password": "p"}}`, map[string]account{"bob": {Password: "p"}}},
		{"byte order mark", "\xef\xbb\xbf{\"bob\": \"p\"}\r\n", map[string]account{"bob": {Password: "p"}}},
		{"names", `{"zoë ü": "p", "Alice": "p", "alice": "q", "a@b.c": "p", "日本": "p"}`,
			map[string]account{"zoë ü": {Password: "p"}, "Alice": {Password: "p"}, "alice": {Password: "q"}, "a@b.c": {Password: "p"}, "日本": {Password: "p"}}},
		{"escapes", `{"b\u006fb": "p\u00e4ss"}`, map[string]account{"bob": {Password: "päss"}}},
		{"empty", `{}`, map[string]account{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseCredentials(test.file)
			if err != nil {
				t.Fatal(err)
			}
			entries := make(map[string]account)
			for name := range got.places {
				entry := got.entry(name)
				entry.kind = nil
				entries[name] = entry
			}
			if !reflect.DeepEqual(entries, test.want) {
				t.Errorf("read as %+v", entries)
			}
		})
	}
	t.Run("any user", func(t *testing.T) {
		got, err := parseCredentials(`{"*": "master", "bob": "p"}`)
		if err != nil || got.anyUser == nil || got.anyUser.Password != "master" || len(got.all) != 1 {
			t.Errorf("read as %+v, %v", got, err)
		}
	})
}

// TestParseCredentialsMistakes: each says where, and none shows "hunter2",
// which is the password in all of them.
func TestParseCredentialsMistakes(t *testing.T) {
	expensive := "$2a$17$" + strings.Repeat("a", 53)
	tests := []struct {
		name, file, want string
	}{
		{"nothing", ``, "line 1, column 1"},
		{"white space", " \n ", "malformed JSON"},
		{"no object", `["hunter2"]`, "one JSON object"},
		{"a string", `"hunter2"`, "one JSON object"},
		{"null", `null`, "one JSON object"},
		{"half written", "{\n  \"alice\": \"hunter2\",\n  \"bob\": \"hun", "line 3"},
		{"no comma", "{\"a\": \"hunter2\"\n\"b\": \"hunter2\"}", "line 2, column 1: malformed JSON: a comma is missing before it"},
		{"stray comma", "{\"a\": \"hunter2\",}", "line 1, column 17: malformed JSON: a comma too many"},
		{"stray comma on a line before", "{\n\"a\": \"hunter2\",\n}\n", "line 3, column 1: malformed JSON: a comma too many"},
		{"single quotes", "{'a': 'hunter2'}", "line 1, column 2: malformed JSON: texts stand in double quotes"},
		{"htpasswd", "a:hunter2\n", "line 1, column 1: malformed JSON: it must begin with {"},
		{"no quotes", "{\n\"a\": hunter2}", "line 2"},
		{"comment", "{\n // hunter2\n}", "line 2"},
		{"something after it", "{\"a\": \"hunter2\"}\n{}", "line 2"},
		{"garbage after it", "{\"a\": \"hunter2\"} hunter2", "line 1"},
		{"user twice", "{\"a\": \"hunter2\",\n\"a\": \"hunter2\"}", "line 2, column 3: user \"a\" is there twice"},
		{"user twice, escaped", "{\"a\": \"hunter2\",\n\"\\u0061\": \"hunter2\"}", "user \"a\" is there twice"},
		{"any user twice", `{"*": "hunter2", "*": "hunter2"}`, `user "*" is there twice`},
		{"number", `{"a": 12345}`, `user "a"`},
		{"list", `{"a": ["hunter2"]}`, `user "a"`},
		{"null password", `{"a": null}`, `user "a"`},
		{"true", `{"a": true}`, `user "a"`},
		{"empty password", `{"a": ""}`, `user "a": the password is empty`},
		{"object without password", `{"a": {"name": "hunter2"}}`, `user "a": the password is empty`},
		{"object with another field", `{"a": {"password": "hunter2", "pasword": "hunter2"}}`, `user "a"`},
		{"object with a field twice", `{"a": {"password": "hunter2", "password": "hunter2"}}`, `user "a"`},
		{"object with a number", `{"a": {"password": 123456}}`, `"password" must be string`},
		{"object with a list", `{"a": {"password": ["hunter2"]}}`, `"password" must be string`},
		{"groups that are none", `{"a": {"password": "hunter2", "groups": "hunter2"}}`, `"groups" must be`},
		{"damaged bcrypt, short", `{"a": "$2a$10$hunter2"}`, `user "a": the bcrypt hash is damaged`},
		{"damaged bcrypt, long", fmt.Sprintf(`{"a": "%sx"}`, bcryptOf(t, "x", bcrypt.MinCost)), "damaged"},
		{"damaged bcrypt, signs", `{"a": "$2a$04$` + strings.Repeat("!", 53) + `"}`, "damaged"},
		{"damaged bcrypt, signs in the hash", `{"a": "` + bcryptOf(t, "x", bcrypt.MinCost)[:50] + `!!!!!!!!!!"}`, "damaged"},
		{"bcrypt cost", `{"a": "` + expensive + `"}`, "17, more than 16"},
		{"bcrypt cost below", `{"a": "$2a$03$` + strings.Repeat("a", 53) + `"}`, "damaged"},
		{"argon2i", `{"a": "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$aaaa"}`, "other than argon2id"},
		{"argon2id memory", `{"a": "` + strings.Replace(argonOfHorse, "m=64", "m=4194304", 1) + `"}`, "asks for more"},
		{"argon2id time", `{"a": "` + strings.Replace(argonOfHorse, "t=1", "t=1000", 1) + `"}`, "asks for more"},
		{"argon2id nothing", `{"a": "` + strings.Replace(argonOfHorse, "t=1", "t=0", 1) + `"}`, "asks for more"},
		{"argon2id threads", `{"a": "` + strings.Replace(argonOfHorse, "p=1", "p=0", 1) + `"}`, "asks for more"},
		{"argon2id cut off", `{"a": "` + argonOfHorse[:len(argonOfHorse)-40] + `"}`, "damaged"},
		{"argon2id cut off to three bytes", `{"a": "` + argonOfHorse[:len(argonOfHorse)-39] + `"}`, "damaged"},
		{"argon2id cut off before the hash", `{"a": "` + argonOfHorse[:strings.LastIndexByte(argonOfHorse, '$')] + `"}`, "damaged"},
		{"long password", `{"a": "` + strings.Repeat("hunter2", 200) + `"}`, "longer than 1024"},
		{"empty user", `{"": "hunter2"}`, "the user name is empty"},
		{"blank user", `{"  ": "hunter2"}`, "the user name is empty"},
		{"guest", `{"guest": "hunter2"}`, "reserved"},
		{"control character", `{"a\nb": "hunter2"}`, "cannot be seen"},
		{"long user", `{"` + strings.Repeat("u", 257) + `": "hunter2"}`, "longer than 256"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseCredentials(test.file)
			if err == nil {
				t.Fatalf("read as %+v", got)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("says %q, want %q", err, test.want)
			}
			for _, secret := range []string{"hunter2", "12345", "$2a$", "c2FsdH"} {
				if strings.Contains(strings.ReplaceAll(err.Error(), `"hunter2"`, "hunter2"), secret) {
					t.Errorf("the error shows the password: %v", err)
				}
			}
		})
	}
}

func TestParseOnlyWayIn(t *testing.T) {
	if _, err := credentialsParser(false)(`{}`); err == nil || !strings.Contains(err.Error(), "no accounts") {
		t.Errorf("an empty file is %v", err)
	}
	if _, err := credentialsParser(false)(`{"*": "x"}`); err != nil {
		t.Error(err)
	}
}

func mustAccounts(t testing.TB, entries map[string]string) *accounts {
	t.Helper()
	full := make(map[string]account, len(entries))
	for name, password := range entries {
		full[name] = account{Password: password}
	}
	a, err := newAccounts(full)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSignIn(t *testing.T) {
	set := mustAccounts(t, map[string]string{
		"plain":  "my_password",
		"bcrypt": bcryptOf(t, "hunter2", bcrypt.MinCost),
		"argon":  argonOfHorse,
		"donkey": argonOfDonkey,
		"space":  " p ",
		"uml":    "pässwörd",
	})
	master := mustAccounts(t, map[string]string{"*": "master", "alice": "her own"})
	hashedMaster := mustAccounts(t, map[string]string{"*": bcryptOf(t, "master", bcrypt.MinCost)})
	tests := []struct {
		name           string
		accounts       *accounts
		user, password string
		want           bool
	}{
		{"plain", set, "plain", "my_password", true},
		{"bcrypt", set, "bcrypt", "hunter2", true},
		{"argon2id", set, "argon", "horse", true},
		{"argon2id, other parameters", set, "donkey", "donkey", true},
		{"spaces count", set, "space", " p ", true},
		{"beyond ASCII", set, "uml", "pässwörd", true},
		{"spaces are missing", set, "space", "p", false},
		{"composed otherwise", set, "uml", "pa\u0308sswo\u0308rd", false},
		{"wrong, plain", set, "plain", "my_passworD", false},
		{"wrong, bcrypt", set, "bcrypt", "hunter3", false},
		{"wrong, argon2id", set, "argon", "donkey", false},
		{"empty, plain", set, "plain", "", false},
		{"empty, bcrypt", set, "bcrypt", "", false},
		{"empty, argon2id", set, "argon", "", false},
		{"another's password", set, "plain", "hunter2", false},
		{"the hash itself", set, "bcrypt", set.entry("bcrypt").Password, false},
		{"the argon2id hash itself", set, "argon", argonOfHorse, false},
		{"unknown user", set, "nobody", "my_password", false},
		{"empty user", set, "", "my_password", false},
		{"the master's name", set, "*", "my_password", false},
		{"case of the name", set, "Plain", "my_password", false},
		{"null", set, "null", "null", false},
		{"longer", set, "plain", "my_password\x00", false},
		{"shorter", set, "plain", "my_passwor", false},
		{"master", master, "anybody", "master", true},
		{"master, strange names", master, "zoë <b>", "master", true},
		{"master, hashed", hashedMaster, "anybody", "master", true},
		{"master, wrong", master, "anybody", "mastre", false},
		{"master, empty", master, "anybody", "", false},
		{"master, hashed, wrong", hashedMaster, "anybody", "x", false},
		{"master for an account of its own", master, "alice", "master", false},
		{"account beside the master", master, "alice", "her own", true},
		{"account's password for others", master, "anybody", "her own", false},
		{"HS-095 master, no name", master, "", "master", false},
		{"master, blank name", master, "   ", "master", false},
		{"master, guest", master, "guest", "master", false},
		{"HS-084 master, line feed", master, "alice\nX-Admin: 1", "master", false},
		{"master, NUL", master, "alice\x00", "master", false},
		{"master, no UTF-8", master, "alice\xff", "master", false},
		{"master, long name", master, strings.Repeat("u", 257), "master", false},
		{"HS-096 master, signs of cookies", master, "alice;admin=1", "master", true},
		{"HS-089 master, placeholder", master, "{env.COOKIE_SECRET}", "master", true},
		{"HS-098 master, path", master, "../../admin", "master", true},
		{"HS-087 master, homoglyph", master, "аlice", "master", true},
		{"nobody at all", mustAccounts(t, nil), "alice", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			proof, ok := test.accounts.signIn(test.user, test.password)
			if ok != test.want || ok != (proof != nil) {
				t.Fatalf("signed in: %t, proof %x", ok, proof)
			}
			if ok && !test.accounts.vouchFor(&session.Record{User: test.user, Proof: proof}) {
				t.Error("the session would be over at once")
			}
		})
	}
}

func TestVouchFor(t *testing.T) {
	hash, otherHash := bcryptOf(t, "pw", bcrypt.MinCost), bcryptOf(t, "pw", bcrypt.MinCost)
	proofOf := func(entries map[string]string, user, password string) []byte {
		proof, ok := mustAccounts(t, entries).signIn(user, password)
		if !ok {
			t.Fatal("cannot sign in")
		}
		return proof
	}
	account, master := map[string]string{"alice": "pw"}, map[string]string{"*": "pw"}
	tests := []struct {
		name   string
		before map[string]string
		user   string // "alice" unless said
		after  map[string]string
		want   bool
	}{
		{name: "unchanged", before: account, after: account, want: true},
		{name: "another was added", before: account, after: map[string]string{"alice": "pw", "bob": "x"}, want: true},
		{name: "another was removed", before: map[string]string{"alice": "pw", "bob": "x"}, after: account, want: true},
		{name: "removed", before: account, after: map[string]string{"bob": "pw"}},
		{name: "all removed", before: account, after: nil},
		{name: "password changed", before: account, after: map[string]string{"alice": "pw2"}},
		{name: "password hashed", before: account, after: map[string]string{"alice": hash}},
		{name: "hash unchanged", before: map[string]string{"alice": hash}, after: map[string]string{"alice": hash}, want: true},
		{name: "hash made again", before: map[string]string{"alice": hash}, after: map[string]string{"alice": otherHash}},
		{name: "renamed", before: account, after: map[string]string{"Alice": "pw"}},
		{name: "master unchanged", before: master, after: master, want: true},
		{name: "master changed", before: master, after: map[string]string{"*": "pw2"}},
		{name: "master removed", before: master, after: map[string]string{"bob": "pw"}},
		{name: "master is now an account of the same password", before: master, after: account},
		{name: "account is now the master of the same password", before: account, after: master},
		{name: "account added beside the master", before: master, after: map[string]string{"*": "pw", "alice": "pw"}},
		{name: "account removed beside the master", before: map[string]string{"*": "master", "alice": "pw"}, after: map[string]string{"*": "master"}},
		{name: "other account beside the master", before: master, after: map[string]string{"*": "pw", "bob": "x"}, want: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			proof := proofOf(test.before, "alice", "pw")
			record := &session.Record{User: "alice", Proof: proof}
			if got := mustAccounts(t, test.after).vouchFor(record); got != test.want {
				t.Errorf("vouched for: %t", got)
			}
			for _, forged := range [][]byte{nil, {}, proof[:len(proof)-1], make([]byte, len(proof))} {
				if mustAccounts(t, test.after).vouchFor(&session.Record{User: "alice", Proof: forged}) {
					t.Errorf("vouched for the proof %x", forged)
				}
			}
		})
	}
	t.Run("another user's proof", func(t *testing.T) {
		entries := map[string]string{"alice": "pw", "bob": "pw"}
		if mustAccounts(t, entries).vouchFor(&session.Record{User: "bob", Proof: proofOf(entries, "alice", "pw")}) {
			t.Error("alice's session is good for bob")
		}
	})
}

func TestClaims(t *testing.T) {
	set, err := parseCredentials(`{"bob": {"password": "p", "name": "Bob", "email": "bob@x.org", "groups": ["a", "b"]}, "eve": "p", "*": {"password": "m", "name": "Anybody", "groups": ["all"]}}`)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]map[string]any{
		"bob":   {"user": "bob", "username": "bob", "name": "Bob", "email": "bob@x.org", "groups": []any{"a", "b"}},
		"eve":   {"user": "eve", "username": "eve"},
		"other": {"user": "other", "username": "other"},
	}
	for user, want := range tests {
		if got := set.claims(user); user != "other" && !reflect.DeepEqual(got, want) {
			t.Errorf("%s has the claims %v", user, got)
		}
	}
	// The fields of "*" are those of everybody who comes in by it.
	if got := set.claims("other"); !reflect.DeepEqual(got["groups"], []any{"all"}) || got["user"] != "other" {
		t.Errorf("the fields of * do not reach the application: %v", got)
	}
}

func FuzzCredentials(f *testing.F) {
	for _, seed := range []string{
		`{"user1": "my_password"}`, `{"bob": {"password": "p", "groups": ["a"]}}`, `{"a":"b","a":"c"}`, `{`, `{"a":`, `{"a":"$2a$04$`, `null`, "\xef\xbb\xbf{}",
		`{"a": "` + argonOfHorse + `"}`, `{"a": {"Password": "p", "password": "q"}}`, `{"a":"b"}{"c":"d"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseCredentials(string(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") && !strings.HasPrefix(err.Error(), "user ") {
				t.Errorf("the error does not say where: %v", err)
			}
			return
		}
		// What is read is what encoding/json reads, with no name lost.
		var plain map[string]any
		if err := json.Unmarshal([]byte(strings.TrimPrefix(string(data), "\xef\xbb\xbf")), &plain); err != nil {
			t.Fatalf("encoding/json says %v", err)
		}
		count := len(got.all)
		if got.anyUser != nil {
			count++
		}
		if count != len(plain) {
			t.Errorf("%d accounts, encoding/json has %d", count, len(plain))
		}
		for name := range got.places {
			if entry := got.entry(name); entry.Password == "" || checkUserName(name) != nil {
				t.Errorf("user %q has the password %q", name, entry.Password)
			}
		}
	})
}
