// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// pages are one or more of each kind, with all that can be on them.
func pages() map[string]Page {
	full := Page{
		LoginURL: "/proxy/login", LogoutURL: "/proxy/logout", Next: "/app?x=1&y=2", Username: "alice",
		Message: "A message.", Remember: 30 * 24 * time.Hour, RetryAfter: 110 * time.Second, Reference: "4711",
		Providers: []Provider{{ID: "github", Label: "GitHub", URL: "/proxy/login?provider=github", RememberURL: "/proxy/login?stay=github", Mark: "github"}},
		Password:  true, LogoutLink: "/idp/logout?a=1&b=2",
	}
	all := map[string]Page{
		"nothing":       {},
		"sign in":       {LoginURL: "/login", Password: true},
		"sign in again": {LoginURL: "/login", Password: true, Username: "alice", Message: "bad_credentials"},
		"not signed in": {Kind: Refused, LoginURL: "/login", Next: "/app"},
	}
	for kind := SignIn; kind <= Trouble; kind++ {
		page := full
		page.Kind = kind
		all[fmt.Sprintf("kind %d", kind)] = page
	}
	for _, status := range []int{400, 403, 404, 405, 413, 429, 503} {
		page := full
		page.Kind, page.Status, page.Message = Trouble, status, ""
		all["trouble "+strconv.Itoa(status)] = page
	}
	return all
}

func render(t *testing.T, p Page) string {
	t.Helper()
	page, err := plainTheme.Render(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestBuiltinPagesStandAlone(t *testing.T) {
	for name, p := range pages() {
		t.Run(name, func(t *testing.T) {
			page := render(t, p)
			for _, part := range []struct{ opening, closing string }{{"<style>", "</style>"}, {`<script type="module">`, "</script>"}} {
				if strings.Contains(page, part.opening) && !strings.Contains(plainTheme.Policy, sourceOf([]byte(page), part.opening, part.closing)) {
					t.Errorf("the policy does not let the page's own %s in", part.opening)
				}
			}
			if strings.Count(page, "<style") != 1 || strings.Count(page, "<script") != strings.Count(page, `<input id="password"`) {
				t.Error("the page has not one style, and a script where there is a password")
			}
			for _, foreign := range []string{"http://", "https://", "//cdn", "@import", " style=", "url(", "eval(", "javascript:"} {
				if strings.Contains(strings.ToLower(tagsOf(page)), foreign) {
					t.Errorf("the page contains %q", foreign)
				}
			}
			if handler := regexp.MustCompile(` on[a-z]+=`).FindString(page); handler != "" {
				t.Errorf("the page has the handler%s", handler)
			}
			if len(page) > 14_000 {
				t.Errorf("the page has %d bytes", len(page))
			}
			for _, want := range []string{"<!doctype html>", `<html lang="en" dir="ltr">`, "<title>", "<h1>", "<main>", `name="viewport"`} {
				if strings.Count(page, want) != 1 {
					t.Errorf("the page has not exactly one %s", want)
				}
			}
			if strings.Contains(page, "ZgotmplZ") || strings.Contains(page, "%!") || anyPlaceholder.MatchString(tagsOf(betweenStyles.ReplaceAllString(page, ""))) {
				t.Error("the page is filled in wrongly")
			}
		})
	}
}

var betweenStyles = regexp.MustCompile(`(?s)<style>.*</style>|<script.*</script>`)

// TestPagesInAllLanguages: each says where it is written from, and leaves
// nothing out or unfilled.
func TestPagesInAllLanguages(t *testing.T) {
	for _, w := range languages {
		t.Run(w.lang(), func(t *testing.T) {
			for name, p := range pages() {
				p.Languages = w.lang()
				page := render(t, p)
				if !strings.Contains(page, fmt.Sprintf(`<html lang="%s" dir="%s">`, w.lang(), w.dir())) {
					t.Errorf("%s: does not begin with its language", name)
				}
				if left := anyPlaceholder.FindString(betweenStyles.ReplaceAllString(page, "")); left != "" {
					t.Errorf("%s: %s is not filled in", name, left)
				}
				if strings.Contains(page, "<h1></h1>") || strings.Contains(page, "<p></p>") || len(page) > 14_000 {
					t.Errorf("%s: has %d bytes, or says nothing", name, len(page))
				}
			}
		})
	}
}

// tagsOf leaves a page's words out, which may have " on" in them.
func tagsOf(page string) string {
	return strings.Join(regexp.MustCompile(`(?s)<style>.*</style>|<[^>]*>`).FindAllString(page, -1), "")
}

func TestSignInForm(t *testing.T) {
	form := func(p Page) string {
		p.LoginURL, p.Password = "/proxy/login", true
		return render(t, p)
	}
	tests := []struct {
		name     string
		page     Page
		want     []string
		wantNot  []string
		nButtons int
	}{
		{
			name: "first time", page: Page{Next: "/app?x=1&y=2"}, nButtons: 1,
			want: []string{
				`<form method="post" action="/proxy/login">`, `<title>Sign in</title>`,
				`<input type="hidden" name="next" value="/app?x=1&amp;y=2">`,
				`<label for="username">`, `<label for="password">`,
				`id="username" name="username" type="text" value="" autocomplete="username"`,
				`id="password" name="password" type="password" autocomplete="current-password"`,
				`maxlength="256" required autofocus>`,
			},
			wantNot: []string{`role="alert"`, `aria-invalid="`, `name="remember"`, `class="or"`},
		},
		{
			name: "after a mistake", page: Page{Username: "alice", Message: "bad_credentials"}, nButtons: 1,
			want: []string{
				`<p class="alert" id="message" role="alert">Invalid username or password!</p>`,
				`value="alice"`, `required aria-invalid="true" aria-describedby="message">`,
				`maxlength="1024" required autofocus aria-invalid="true" aria-describedby="message">`,
			},
			wantNot: []string{`name="next"`},
		},
		{
			name: "stay signed in", page: Page{Remember: 30 * 24 * time.Hour}, nButtons: 1,
			want: []string{`name="remember" type="checkbox" value="1"><span>Stay signed in for 30 days</span>`},
		},
		{
			name: "providers too", page: Page{Providers: []Provider{{ID: "github", Label: "GitHub", URL: "/proxy/login?provider=github"}}}, nButtons: 1,
			want:    []string{`<div class="or">or</div>`, `<a class="button" href="/proxy/login?provider=github">Continue with GitHub</a>`},
			wantNot: []string{"keep\"", "<svg viewBox=\"0 0 20 20\""},
		},
		{
			name: "a text of its own", page: Page{Providers: []Provider{{Label: "Staff", Text: "Staff come in here", URL: "/a"}}}, nButtons: 1,
			want: []string{`<a class="button" href="/a">Staff come in here</a>`}, wantNot: []string{"Continue with"},
		},
		{
			name: "a mark, and staying signed in", nButtons: 1,
			page: Page{Remember: 24 * time.Hour, Providers: []Provider{{Label: "GitHub", URL: "/a", RememberURL: "/b", Mark: "github"}}},
			want: []string{
				`<div class="way"><svg viewBox="0 0 20 20" aria-hidden="true"><path`,
				`<a class="button" href="/a">Continue with GitHub</a><a class="button keep" href="/b">Continue with GitHub</a></div>`,
			},
		},
		{
			name: "few attempts left", page: Page{Username: "alice", Message: "bad_credentials", AttemptsLeft: 1}, nButtons: 1,
			want: []string{`role="alert">Invalid username or password! One attempt left.</p>`},
		},
		{
			name: "no attempt left", page: Page{Username: "alice", Message: "bad_credentials", RetryAfter: time.Minute}, nButtons: 1,
			want: []string{`role="alert">Invalid username or password! Try again in about a minute.</p>`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := form(test.page)
			for _, want := range test.want {
				if !strings.Contains(page, want) {
					t.Errorf("no %s in the page", want)
				}
			}
			for _, not := range test.wantNot {
				if strings.Contains(page, not) {
					t.Errorf("%s in the page", not)
				}
			}
			if got := strings.Count(page, "<button"); got != test.nButtons {
				t.Errorf("%d buttons, want %d", got, test.nButtons)
			}
		})
	}
	if page := render(t, Page{LoginURL: "/login", Providers: []Provider{{ID: "a", Label: "A", URL: "/a"}}}); strings.Contains(page, "<form") {
		t.Error("a form where there are no passwords")
	}
}

func TestWhatPagesOffer(t *testing.T) {
	tests := []struct {
		name string
		page Page
		want []string
		not  []string
	}{
		{"signed out", Page{Kind: SignedOut, Next: "/app?x=1", LogoutLink: "/idp?a=1&b=2"},
			[]string{`href="/login?next=%2Fapp%3Fx%3D1">Sign in again`, `href="/idp?a=1&amp;b=2">Sign out there as well`}, []string{"<form"}},
		{"signed out, known elsewhere", Page{Kind: SignedOut, StillKnown: true},
			[]string{`href="/login">Sign in again`, "Your identity provider may still know you.</p>"}, []string{"Sign out there"}},
		{"sign out?", Page{Kind: SignOut, Next: "/app"},
			[]string{`<form method="post" action="/logout?next=%2Fapp">`, `href="/app">Stay signed in`}, nil},
		{"sign out, from the root?", Page{Kind: SignOut, Next: "/"},
			[]string{`<form method="post" action="/logout">`, `href="/">Stay signed in`}, nil},
		{"sign out everywhere?", Page{Kind: SignOutEverywhere, Next: "/app"},
			[]string{`<form method="post" action="/logout?everywhere=1&amp;next=%2Fapp">`, "every other device", `href="/app">Stay signed in`}, nil},
		{"refused", Page{Kind: Refused, Username: "alice", Next: "/admin", AsOtherURL: "/login?another=1&next=%2Fadmin"},
			[]string{"You are signed in as <strong>alice</strong>", `href="/login?another=1&amp;next=%2Fadmin">Sign in as`, `<form method="post" action="/logout">`}, nil},
		{"refused, sign out first", Page{Kind: Refused, Username: "alice", Next: "/admin"},
			[]string{`<form method="post" action="/logout"><button class="button main" type="submit">Sign in as somebody else</button>`}, []string{`href="/login`}},
		{"refused, nobody", Page{Kind: Refused}, []string{"You are not signed in.", `href="/login">Sign in</a>`}, []string{"<form"}},
		{"failed", Page{Kind: Failed, Message: "It failed.", Reference: "4711"},
			[]string{`<p role="alert">It failed.</p>`, "<code>4711</code>", `href="/login">Try again`}, nil},
		{"failed, for that account", Page{Kind: Failed, Message: "not_allowed", AsOtherURL: "/login?another=1"},
			[]string{`class="button main" href="/login?another=1">Sign in as somebody else</a>`, `class="button" href="/login">Try again`}, nil},
		{"too many", Page{Kind: Trouble, Status: http.StatusTooManyRequests, RetryAfter: 110 * time.Second},
			[]string{"Too many attempts", "Try again in about 2 minutes."}, nil},
		{"an unknown status", Page{Kind: Trouble, Status: 599}, []string{"Something went wrong"}, nil},
		{"a kind from nowhere", Page{Kind: 99}, []string{"Something went wrong"}, nil},
		{"a link that runs", Page{Kind: SignedOut, LogoutLink: "javascript:alert(1)"}, nil, []string{"javascript", "Sign out there"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.page.LoginURL, test.page.LogoutURL = "/login", "/logout"
			page := render(t, test.page)
			for _, want := range test.want {
				if !strings.Contains(page, want) {
					t.Errorf("no %s in\n%s", want, page[strings.Index(page, "<main"):])
				}
			}
			for _, not := range test.not {
				if strings.Contains(page, not) {
					t.Errorf("%s in the page", not)
				}
			}
		})
	}
}

func TestWaiting(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                         "",
		-time.Second:              "",
		time.Millisecond:          "Try again in a second.",
		5 * time.Second:           "Try again in 5 seconds.",
		time.Minute:               "Try again in about a minute.",
		61 * time.Second:          "Try again in about 2 minutes.",
		2 * time.Hour:             "Try again in about 2 hours.",
		2*time.Hour + time.Hour/2: "Try again in about 3 hours.",
	} {
		t.Run(d.String(), func(t *testing.T) {
			if got := english.wait(d); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// attack has all that could end a text or an attribute.
const attack = `"'><script>alert(1)</script>&<!--` + "`$" + `{{ 7*7 }}{% if %}` + "\x00\x1b\u2028\xff"

func TestBuiltinPagesEscape(t *testing.T) {
	for kind := SignIn; kind <= Trouble; kind++ {
		for name, set := range fields() {
			t.Run(fmt.Sprintf("kind %d, %s", kind, name), func(t *testing.T) {
				harmless, hostile := blank(kind), blank(kind)
				set(&harmless, "text")
				set(&hostile, attack)
				got, want := render(t, hostile), render(t, harmless)
				if skeleton(got) != skeleton(want) {
					t.Errorf("the value changed the page:\n%s\nnot\n%s", skeleton(got), skeleton(want))
				}
			})
		}
	}
}

func blank(kind Kind) Page {
	return Page{
		Kind: kind, LoginURL: "/login", LogoutURL: "/logout", Next: "/app", Username: "u", Message: "m", Remember: 24 * time.Hour,
		Reference: "1", Providers: []Provider{{ID: "id", Label: "Label", URL: "/p"}}, Password: true, LogoutLink: "/idp", AsOtherURL: "/other",
	}
}

func fields() map[string]func(*Page, string) {
	return map[string]func(*Page, string){
		"LoginURL":   func(p *Page, s string) { p.LoginURL = "/" + s },
		"LogoutURL":  func(p *Page, s string) { p.LogoutURL = "/" + s },
		"Next":       func(p *Page, s string) { p.Next = "/" + s },
		"Username":   func(p *Page, s string) { p.Username = s },
		"Message":    func(p *Page, s string) { p.Message = s },
		"Languages":  func(p *Page, s string) { p.Languages = s },
		"Reference":  func(p *Page, s string) { p.Reference = s },
		"AsOtherURL": func(p *Page, s string) { p.AsOtherURL = "/" + s },
		"LogoutLink": func(p *Page, s string) { p.LogoutLink = "?" + strings.Map(printable, s) },
		"Label":      func(p *Page, s string) { p.Providers[0].Label = s },
		"Text":       func(p *Page, s string) { p.Providers[0].Text = s },
		"URL":        func(p *Page, s string) { p.Providers[0].URL = "/" + s },
	}
}

// printable drops what no address can have in it.
func printable(r rune) rune {
	if r < ' ' {
		return -1
	}
	return r
}

var (
	anyTag       = regexp.MustCompile(`<[^>]*>`)
	anyAttribute = regexp.MustCompile(`="[^"]*"`)
	betweenTags  = regexp.MustCompile(`>[^<]*<`)
)

// skeleton is a page without its texts and the values of its attributes.
func skeleton(page string) string {
	page = page[strings.Index(page, "<main>"):]
	page = anyAttribute.ReplaceAllString(page, "=")
	return strings.Join(anyTag.FindAllString(betweenTags.ReplaceAllString(page, "><"), -1), "")
}

func TestBuiltinShowsTextAsItIs(t *testing.T) {
	page := render(t, Page{Kind: Refused, Username: `<b>"O'Brien" & co</b>`})
	_, rest, _ := strings.Cut(page, "<strong>")
	shown, _, _ := strings.Cut(rest, "</strong>")
	if got := html.UnescapeString(shown); got != `<b>"O'Brien" & co</b>` {
		t.Errorf("shown as %s", got)
	}
}

// TestContrast holds the palette to WCAG AA: 4.5 for text, 3 for edges that
// show where a field is.
func TestContrast(t *testing.T) {
	light, dark, _ := strings.Cut(squeezed("style.css"), "@media screen and (prefers-color-scheme: dark)")
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"text", "card", 4.5}, {"quiet", "card", 4.5}, {"quiet", "page", 4.5}, {"accent-strong", "card", 4.5}, {"on-accent", "accent", 4.5},
		{"on-strong", "accent-strong", 4.5}, {"bad", "bad-page", 4.5}, {"text", "field", 4.5},
		{"field-edge", "field", 3}, {"field-edge", "card", 3}, {"accent", "card", 3}, {"bad", "card", 3},
	}
	for name, sheet := range map[string]string{"light": light, "dark": dark} {
		for _, pair := range pairs {
			t.Run(name+" "+pair.front+" on "+pair.back, func(t *testing.T) {
				if ratio := contrast(colourIn(t, sheet, pair.front), colourIn(t, sheet, pair.back)); ratio < pair.least {
					t.Errorf("contrast %.2f, want %.1f", ratio, pair.least)
				}
			})
		}
	}
}

// colourIn is what a style calls by a name.
func colourIn(t *testing.T, sheet, name string) colour {
	t.Helper()
	found := regexp.MustCompile(`--` + name + `: ?(#[0-9a-f]+);`).FindStringSubmatch(sheet)
	if found == nil {
		t.Fatalf("no colour %s", name)
	}
	c, err := parseColour(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func BenchmarkBuiltin(b *testing.B) {
	p := blank(SignIn)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plainTheme.Render(p); err != nil {
			b.Fatal(err)
		}
	}
}

// plainTheme is the look without any branding.
var plainTheme = mustTheme(Branding{})

func mustTheme(b Branding) *Theme {
	t, err := NewTheme(b)
	if err != nil {
		panic(err)
	}
	return t
}
