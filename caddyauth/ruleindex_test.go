// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// askedAll are the same rules, all of which are asked about everything.
func askedAll(rules *ruleSet) *ruleSet {
	all := &ruleSet{rules: rules.rules}
	for i := range rules.rules {
		all.index.always = append(all.index.always, i)
	}
	return all
}

// visitors are whom rules are asked about: guests, people with and without
// groups and claims, and such whose names are in rules of another case.
func (s *site) visitors() []*identity {
	claims := []map[string]any{
		{"groups": []any{"admins", "staff"}, "email": "alice@example.com", "level": 3.0},
		{"groups": "staff", "email": "bob@example.org", "level": "3", "org": map[string]any{"unit": "x"}},
		{"groups": []string{"Admins", ""}, "email": ""},
		{"groups": map[string]any{"admins": true}, "user": "alice"},
		{},
	}
	visitors := []*identity{s.guest}
	for i, name := range []string{"alice", "bob", "Alice", "guest", "*"} {
		visitors = append(visitors, s.newIdentity(name, passwordProvider, claims[i]))
	}
	return visitors
}

// wantSameDecisions asks rules by their index and plainly.
func (s *site) wantSameDecisions(rules *ruleSet, paths []string) {
	s.t.Helper()
	all := askedAll(rules)
	for _, who := range s.visitors() {
		for _, path := range paths {
			r := prepared(get(path))
			who.setPlaceholders(r)
			q := newQuestion(r, who)
			want, wantErr := all.decide(s.Handler, &q)
			q = newQuestion(r, who)
			got, err := rules.decide(s.Handler, &q)
			if got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				s.t.Errorf("%s for %s: got %+v, %v, wanted %+v, %v", path, who.user, got, err, want, wantErr)
			}
		}
	}
}

const indexedPaths = `/ /secret /secret/ws /SECRET/ /A/x /a/x /A /A/ws /x.ipynb /b/x.ipynb /b /bb /b/c /B/C/ws /d /d/metadata /D
	/e/alice /e/bob/x /f /f/ /F/ws /g /g/h /h/a/i /h/a /H/B/I /e /e/ /e/alice/ws /E/ALICE /x
	/static/x /static/static/static/x /static/static/static/static/static/static/x /static/secret/x /a/static/b //x /a%2fb /b//c`

// TestRulesIndex: with many rules, those that cannot have anything to say are
// not asked. The answers are the same.
func TestRulesIndex(t *testing.T) {
	const some = `deny /secret; allow /A/* auth_user=["alice"]; deny path=["*.ipynb"]; allow /b*; deny /b/c; allow /d; allow path=["/e/{http.auth.user.id}/*"]; deny path=["/h/*/i"]; deny path=["{http.auth.user.id}/*"]; redirect /f /b; deny not=[{"path":["/g*"]}]; allow`
	s := newRulesSite(t, some, optional)
	s.wantSameDecisions(s.rules.written, strings.Fields(indexedPaths))
}

// Parts of which TestRulesIndexAtRandom makes rules.
var (
	someActions    = []string{"allow", "allow", "deny", "deny", "redirect"}
	someConditions = map[string][]string{
		"path": {
			`["/secret"]`, `["/A/*"]`, `["/a*"]`, `["*.ipynb"]`, `["/b/c","/d"]`, `["/e/{http.auth.user.id}/*"]`, `["{http.auth.user.id}/*"]`,
			`["/h/*/i"]`, `["*"]`, `["/static/secret/*"]`, `["/static/*","/x"]`, `["/%61"]`, `["/"]`, `["/f","*h*"]`,
		},
		"auth_user":  {`["alice"]`, `["bob","guest"]`, `["Alice"]`, `["*"]`, `["nobody"]`},
		"auth_group": {`["admins"]`, `["staff","x"]`, `["true"]`},
		"auth_claim": {
			`{"email":["alice@example.com"]}`, `{"email":["*@example.org"]}`, `{"level":["3"],"email":["*"]}`, `{"org.unit":["x"]}`,
			`{"user":["bob"]}`, `{"groups":["staff"],"level":["3"]}`, `{"email":["x","*"]}`,
		},
		"auth_guest": {`{}`},
		"method":     {`["GET"]`, `["POST"]`},
		"not":        {`[{"auth_user":["alice"]}]`, `[{"path":["/b*"]}]`, `[{"path":["/a*"],"auth_group":["staff"]}]`},
	}
	someKinds = []string{"path", "path", "auth_user", "auth_group", "auth_claim", "auth_guest", "method", "not"}
)

func oneOf[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

func randomRule(random *rand.Rand) Rule {
	u := Rule{Action: oneOf(random, someActions)}
	if u.Action == "redirect" {
		u.URL = oneOf(random, []string{"/d", "/b/c", "/x?next={http.request.uri.path}"})
	}
	for range 1 + random.IntN(10)/7 { // mostly one
		set := make(caddy.ModuleMap)
		for range 1 + random.IntN(3) {
			kind := oneOf(random, someKinds)
			set[kind] = []byte(oneOf(random, someConditions[kind]))
		}
		u.MatcherSetsRaw = append(u.MatcherSetsRaw, set)
	}
	if random.IntN(20) == 0 {
		u.MatcherSetsRaw = nil
	}
	return u
}

// TestRulesIndexAtRandom: whatever the rules are, an index changes no answer.
func TestRulesIndexAtRandom(t *testing.T) {
	s := newSite(t, optional)
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	defer cancel()
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			var written []Rule
			for range 1 + random.IntN(30) {
				written = append(written, randomRule(random))
			}
			rules, err := newRuleSet(ctx, written)
			if err != nil {
				t.Fatal(err)
			}
			s.in(t).wantSameDecisions(rules, strings.Fields(indexedPaths))
		})
	}
}

// TestRulesIndexAsksFew: of a thousand rules only those are asked that speak of
// who or what it is about.
func TestRulesIndexAsksFew(t *testing.T) {
	tests := map[string]string{
		"path":           `deny /u%d/*`,
		"user":           `deny auth_user=["u%d"]`,
		"group":          `deny auth_group=["g%d"]`,
		"claim":          `deny auth_claim={"email":["u%d@example.com"]}`,
		"user of a page": `deny /app auth_user=["u%d"]`,
		"pages of users": `deny /u%d/* auth_user=["alice"]`,
		"lent":           `allow /u%d/* auth_user=["u%d"]`,
	}
	for name, line := range tests {
		t.Run(name, func(t *testing.T) {
			var lines strings.Builder
			for i := range 1000 {
				lines.WriteString(strings.ReplaceAll(line, "%d", fmt.Sprint(i)) + ";")
			}
			s := newRulesSite(t, lines.String()+"allow")
			for _, path := range []string{"/app/ws", "/static/x"} {
				q := newQuestion(prepared(get(path)), s.visitors()[1])
				asked := 0
				for range s.rules.written.index.candidates(&q) {
					asked++
				}
				if asked != 1 {
					t.Errorf("%s: %d rules are asked", path, asked)
				}
			}
		})
	}
}
