// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider/providertest"
	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// attack is a case of the corpus. In its texts, {HOST}, {SESSION}, {ALICE} and
// the like stand for what they are at the site that is attacked.
type attack struct {
	ID       string            `json:"id"`
	Group    string            `json:"group"`
	Priority string            `json:"priority"`
	Judge    string            `json:"judge"`
	Profile  string            `json:"profile"`
	String   string            `json:"string"` // the address that is to be gone to
	Leaves   map[string]string `json:"leaves"` // by scheme: whether a browser says that it leads away
	Request  request           `json:"request"`
	About    []string          `json:"about"` // published failures
}

func corpus(t testing.TB) []attack {
	t.Helper()
	text, err := os.ReadFile("testdata/attacks.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []attack
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// elsewhere are the cases that are not played here: why, and the test that is
// about them, if there can be one.
var elsewhere = map[string]struct{ why, test string }{
	"CS-041": {"there is no token in the form to steal: a form counts by where its page is from (Sec-Fetch-Site, Origin)", "caddyauth.TestCrossOriginForms"},
	"TV-048": {"needs Google's own addresses, which only the package can be led away from", "caddyauth/provider.TestGoogle"},
	"BF-007": {"a million names take long to send; the table that they fill is filled directly", "caddyauth.TestAttemptsMemory"},
	"BF-009": {"times are measured where nothing else runs; what is tested is that equal work is done", "caddyauth.TestEffortOfBcrypt"},
	"DO-017": {"no option takes a regular expression, and Go's take time in proportion to their input", ""},
	"DO-019": {"fuzz targets run on their own", "caddyauth.FuzzSafeNext"},
	"RL-016": {"needs a reload between the steps of one sign-in", "caddyauth.TestSignInAcrossReload"},
	"RL-040": {"needs a storage that refuses to write", "caddyauth.TestStorageAwayAtSignIn"},
	"LG-003": {"no header carries a token: identity headers carry claims", "caddyauth.TestClaimsInHeaders"},
}

// TestCorpus plays every case of the corpus, profile by profile.
func TestCorpus(t *testing.T) {
	byProfile := map[string][]attack{}
	for _, a := range corpus(t) {
		if _, not := elsewhere[a.ID]; !not {
			byProfile[a.Profile] = append(byProfile[a.Profile], a)
		}
	}
	for _, profile := range slices.Sorted(maps.Keys(byProfile)) {
		t.Run(profile, func(t *testing.T) {
			var s *site
			if profile != "" {
				s = serve(t, profile)
			}
			for _, a := range byProfile[profile] {
				t.Run(a.ID, func(t *testing.T) {
					if s == nil {
						play(&site{t: t}, a)
						return
					}
					here := s.in(t)
					play(here, a)
					here.app.requests()
				})
			}
		})
	}
}

// play plays a case and has it judged.
func play(s *site, a attack) {
	s.t.Helper()
	if scene := scenes[a.ID]; scene != nil {
		scene(s, a)
		return
	}
	if scene := groupScenes[a.Judge]; scene != nil {
		scene(s, a)
		return
	}
	judge := judges[a.Judge]
	if judge == nil {
		s.t.Fatalf("nobody judges it: %q", a.Judge)
	}
	if err := judge(s.attacked(a)); err != nil {
		s.t.Error(err)
	}
}

// TestCorpusIsComplete: no case is left out, and none is left out without a
// test that stands in for it.
func TestCorpusIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range corpus(t) {
		if seen[a.ID] {
			t.Errorf("%s is there twice", a.ID)
		}
		seen[a.ID] = true
		instead, not := elsewhere[a.ID]
		played := scenes[a.ID] != nil || groupScenes[a.Judge] != nil || judges[a.Judge] != nil
		if played == not {
			t.Errorf("%s is played: %v, listed: %v", a.ID, played, not)
		}
		if not && instead.why == "" {
			t.Errorf("%s is not played, and it is not said why", a.ID)
		}
	}
	if len(seen) != 244 {
		t.Errorf("there are %d cases", len(seen))
	}
	for id, instead := range elsewhere {
		if !seen[id] {
			t.Errorf("%s is not in the corpus", id)
		}
		wantTest(t, instead.test)
	}
	for id := range scenes {
		if !seen[id] {
			t.Errorf("%s is not in the corpus", id)
		}
	}
}

// wantTest checks that there is a test "folder.Name".
func wantTest(t *testing.T, test string) {
	t.Helper()
	if test == "" {
		return
	}
	folder, name, _ := strings.Cut(test, ".")
	entries, err := os.ReadDir("../" + folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile("../" + folder + "/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(") {
			return
		}
	}
	t.Errorf("there is no test %s", test)
}

// attacked sends the request of a case and returns what came of it.
func (s *site) attacked(a attack) outcome {
	s.t.Helper()
	words := s.words(a)
	q := filled(a.Request, words)
	s.app.requests()
	asked := s.asked()
	o := outcome{attack: a, base: s.base(), session: s.sessionCookie(), user: "guest"}
	o.answer = s.send(q)
	o.app, o.asked = s.app.requests(), s.asked()-asked
	if words["ALICE"] != "" {
		o.user = s.alice()
	}
	o.usual = s.send(usual(a, q))
	s.app.requests()
	return o
}

// usual is the request without the attack in it: without its headers, or with a
// password that is just wrong.
func usual(a attack, q request) request {
	if a.Judge == "wrong password" {
		q.Body = "username=alice&password=just+wrong"
		return q
	}
	return get("/login")
}

func (s *site) asked() int {
	if s.provider == nil {
		return 0
	}
	n := len(s.provider.Requests(providertest.Token))
	if s.second != nil {
		n += len(s.second.Requests(providertest.Token))
	}
	return n
}

// alice is what alice is called at this site.
func (s *site) alice() string {
	if s.provider != nil {
		return "alice@example.org"
	}
	return "alice"
}

// words are what the placeholders of a case stand for. Only those that are in
// it are made, since some take a sign-in.
func (s *site) words(a attack) map[string]string {
	s.t.Helper()
	text, err := json.Marshal(a.Request)
	if err != nil {
		s.t.Fatal(err)
	}
	words := map[string]string{
		"BASE": s.base(), "HOST": s.host, "DOMAIN": "example.com", "BASEPATH": "/app", "SESSION": s.sessionCookie(),
		"CALLBACK": "/login", "CALLBACKPATH": "login", "BACKCHANNEL_LOGOUT": "/logout/backchannel", "DEFAULT": "/",
		"MASTER": strings.ReplaceAll(master, " ", "+"), "PW": strings.ReplaceAll(alicesPassword, " ", "+"),
		"PW_UPPER": strings.ReplaceAll(strings.ToUpper(alicesPassword), " ", "+"), "TOKEN": "a.token.of.bokeh",
		"SIGNED_BOB": tornado.Sign([]byte(cookieSecret), "user", "bob", time.Now()),
	}
	has := func(word string) bool { return strings.Contains(string(text), "{"+word+"}") }
	for _, who := range []string{"alice", "mallory"} {
		if word := strings.ToUpper(who); has(word) {
			words[word] = s.anybody(who)[1]
		}
	}
	if has("STATE") || has("CODE") {
		flow := s.begin("/login")
		params := flow.visit("alice")
		words["STATE"], words["CODE"] = params.Get("state"), params.Get("code")
		words["FLOW"] = flow.cookies[0][0] + "=" + flow.cookies[0][1]
	}
	return words
}

// filled fills in the placeholders of a request. Its bytes are one to a
// character, as the corpus has them.
func filled(q request, words map[string]string) request {
	fill := func(text string) string { return repeated(bytesOf(expand(text, words))) }
	q.Path, q.Body, q.Raw = fill(q.Path), fill(q.Body), fill(q.Raw)
	pairs := func(list [][2]string) (out [][2]string) {
		for _, pair := range list {
			out = append(out, [2]string{fill(pair[0]), fill(pair[1])})
		}
		return out
	}
	q.Headers, q.Cookies = pairs(q.Headers), pairs(q.Cookies)
	if flow := words["FLOW"]; flow != "" {
		name, value, _ := strings.Cut(flow, "=")
		q.Cookies = append(q.Cookies, [2]string{name, value})
	}
	return q
}

var placeholder = regexp.MustCompile(`\{([A-Z_]+)\}`)

func expand(text string, words map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		if word, known := words[found[1:len(found)-1]]; known {
			return word
		}
		return found
	})
}

var repeat = regexp.MustCompile(`\{REPEAT:(.*?):(\d+)\}`)

func repeated(text string) string {
	return repeat.ReplaceAllStringFunc(text, func(found string) string {
		parts := repeat.FindStringSubmatch(found)
		n, err := strconv.Atoi(parts[2])
		if err != nil {
			return found
		}
		return strings.Repeat(parts[1], n)
	})
}

// bytesOf turns characters into bytes of the same number, where they are all
// small enough.
func bytesOf(text string) string {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		if c > 0xff {
			return text
		}
		out = append(out, byte(c))
	}
	return string(out)
}

// TestUnguarded has the judges look at a site without a door: whatever is to be
// kept from the application reaches it there, so they have to say so.
func TestUnguarded(t *testing.T) {
	s := serve(t, "master")
	open := *s
	open.config = s.configuration(siteText(s.host, false, proxyTo(s.app)))
	open.load()
	cookie := [2]string{s.sessionCookie(), "whatever it was"}
	missed := 0
	for _, a := range corpus(t) {
		if a.Judge != "closed" && a.Judge != "only ours" && a.Judge != "no session" && a.Judge != "method refused" {
			continue
		}
		words := map[string]string{
			"HOST": s.host, "SESSION": cookie[0], "ALICE": cookie[1], "CALLBACKPATH": "login", "BASE": s.base(), "TOKEN": "a.b",
			"SIGNED_BOB": tornado.Sign([]byte(cookieSecret), "user", "bob", time.Now()),
		}
		o := outcome{attack: a, base: s.base(), session: cookie[0], user: "alice"}
		o.answer = s.send(filled(a.Request, words))
		o.app = s.app.requests()
		if o.answer.status == http.StatusBadRequest && len(o.app) == 0 {
			missed++ // Caddy itself refuses it
			continue
		}
		if judges[a.Judge](o) == nil {
			t.Errorf("%s: %q sees nothing wrong with an open door", a.ID, a.Judge)
		}
	}
	if missed > 8 {
		t.Errorf("Caddy itself refuses %d", missed)
	}
}
