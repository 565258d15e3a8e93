// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"fmt"
	"net/http"
	"time"
)

// language holds every word of the built-in pages.
type language struct {
	Tag string // for <html lang>

	Username, Password, Remember string
	SignIn, SignOut, Or          string
	SignOutEverywhere            string
	ContinueWith                 string

	SignInAgain, SignInAsOther, TryAgain string
	GoOn                                 string
	StaySignedIn, SignOutElsewhere       string

	RefusedAs, RefusedUnknown string
	StillSignedInElsewhere    string
	Reference                 string

	Wait                    string
	Seconds, Minutes, Hours plural

	pages    map[Kind]text
	troubles map[int]text
}

// text is what a page says first: in the browser's tab, in its headline and
// below that.
type text struct{ Title, Headline, Explanation string }

// plural is a count in words.
type plural struct{ One, Many string }

func (p plural) of(n int) string {
	if n == 1 {
		return p.One
	}
	return fmt.Sprintf(p.Many, n)
}

var english = language{
	Tag: "en",

	Username: "Username",
	Password: "Password",
	Remember: "Stay signed in for %s",
	SignIn:   "Sign in",
	SignOut:  "Sign out",
	Or:       "or",

	SignOutEverywhere: "Sign out everywhere",

	ContinueWith: "Continue with %s",

	SignInAgain:      "Sign in again",
	SignInAsOther:    "Sign in as somebody else",
	TryAgain:         "Try again",
	GoOn:             "Continue",
	StaySignedIn:     "Stay signed in",
	SignOutElsewhere: "Sign out there as well",

	RefusedAs:              "You are signed in as",
	RefusedUnknown:         "You are not signed in.",
	StillSignedInElsewhere: "Your identity provider may still know you.",
	Reference:              "Reference",

	Wait:    "Try again in %s.",
	Seconds: plural{"a second", "%d seconds"},
	Minutes: plural{"about a minute", "about %d minutes"},
	Hours:   plural{"about an hour", "about %d hours"},

	pages: map[Kind]text{
		SignIn:    {"Sign in", "Sign in", ""},
		SignedOut: {"Signed out", "You are signed out", "It is safe to close this page."},
		SignOut:   {"Sign out", "Do you want to sign out?", "Another site has asked to end your session here."},
		SignOutEverywhere: {"Sign out everywhere", "Sign out everywhere?",
			"This ends all of your sessions here: in this browser, and on every other device."},
		Refused: {"No access", "No access", "This account may not open this page. Whoever runs this site can change that."},
		Failed:  {"Sign-in failed", "Sign-in failed", "The sign-in was not completed."},
		Onward:  {"Signed in", "You are signed in", "Going on to the page you asked for."},
		Trouble: {"Something went wrong", "Something went wrong", "This request could not be answered."},
	},
	troubles: map[int]text{
		http.StatusBadRequest: {"Bad request", "That did not work",
			"Your browser sent something that cannot be accepted. If it happens again, delete this site's cookies."},
		http.StatusForbidden: {"Refused", "That came from another site",
			"To keep your account safe, this is accepted from this site's own pages only."},
		http.StatusNotFound: {"Not found", "Nothing here", "There is no such page."},
		http.StatusMethodNotAllowed: {"Not allowed", "That does not work here",
			"This page cannot be asked for in that way."},
		http.StatusRequestEntityTooLarge: {"Too much", "That was too much",
			"What your browser sent is larger than anything this page needs."},
		http.StatusTooManyRequests: {"Too many attempts", "Too many attempts",
			"Signing in is paused for a while, to keep accounts safe from guessing."},
		http.StatusServiceUnavailable: {"Not available", "Back in a moment",
			"Signing in is not possible right now."},
	},
}

func (l *language) text(p Page) text {
	if p.Kind == Trouble {
		if t, ok := l.troubles[p.Status]; ok {
			return t
		}
	}
	if t, ok := l.pages[p.Kind]; ok {
		return t
	}
	return l.pages[Trouble]
}

func (l *language) headline(p Page) string { return l.text(p).Headline }

// explanation is the page's own message or, without one, what is always true
// of such a page.
func (l *language) explanation(p Page) string {
	if p.Message != "" {
		return p.Message
	}
	return l.text(p).Explanation
}

// wait says how long to wait. It never says less than is meant.
func (l *language) wait(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Minute:
		return fmt.Sprintf(l.Wait, l.Seconds.of(roundUp(d, time.Second)))
	case d <= 90*time.Minute:
		return fmt.Sprintf(l.Wait, l.Minutes.of(roundUp(d, time.Minute)))
	}
	return fmt.Sprintf(l.Wait, l.Hours.of(roundUp(d, time.Hour)))
}

func roundUp(d, unit time.Duration) int {
	n := int(d / unit)
	if d%unit > 0 {
		n++
	}
	return n
}
