// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"cmp"
	"net/url"
	"strings"
)

// view is what page.html is filled in with.
type view struct {
	Page
	Kind        string
	Title       string
	HasLogo     bool
	Notice      string
	Headline    string
	Explanation string
	Message     string
	// AttemptsLeft and Remember are said in words.
	AttemptsLeft  string
	Remember      string
	Before, After string // the name of who is signed in
	Wait          string
	Alert         bool
	Password      bool
	Providers     []Provider
	Actions       []action

	words *words
}

// Say returns a text.
func (v view) Say(key string) string { return v.words.say(key) }

// Lang is the language of the page.
func (v view) Lang() string { return v.words.lang() }

// Dir is the direction in which it is written.
func (v view) Dir() string { return v.words.dir() }

// action is one thing to do next.
type action struct {
	Label, URL string
	Main       bool
	Post       bool
}

func (t *Theme) view(p Page) view {
	w := wordsFor(p.Languages)
	v := view{
		Page:        p,
		Title:       t.title,
		HasLogo:     t.hasLogo,
		Notice:      t.notice,
		Headline:    w.headline(p),
		Explanation: w.explanation(p),
		Message:     w.message(p),
		Remember:    w.remember(p.Remember),
		Wait:        w.wait(p.RetryAfter),
		Alert:       p.Kind == Failed || p.Kind == Trouble,
		Password:    p.Password && p.Kind == SignIn,
		Actions:     p.actions(w),
		words:       w,
	}
	v.LogoutLink = link(p.LogoutLink)
	v.Before, v.After, _ = strings.Cut(w.say("signed_in_as"), "{name}")
	switch p.Kind {
	case SignIn:
		v.Kind = "signin"
	case Refused:
		v.Kind = "refused"
	}
	if p.AttemptsLeft > 0 {
		v.AttemptsLeft = w.count("attempts_left", p.AttemptsLeft)
	}
	for _, provider := range p.Providers {
		provider.Text = cmp.Or(provider.Text, w.fill("continue_with", "provider", provider.Label))
		v.Providers = append(v.Providers, provider)
	}
	return v
}

// actions are what a page offers to do, the likeliest first.
func (p Page) actions(w *words) []action {
	var list []action
	add := func(key, address string, post bool) {
		if address != "" {
			list = append(list, action{Label: w.say(key), URL: address, Main: len(list) == 0, Post: post})
		}
	}
	switch p.Kind {
	case SignedOut:
		add("sign_in_again", p.signInLink(), false)
	case SignOut:
		add("sign_out", p.signOutLink(), true)
		add("stay_signed_in", p.Next, false)
	case SignOutEverywhere:
		add("sign_out_everywhere", p.signOutLink("everywhere", "1"), true)
		add("stay_signed_in", p.Next, false)
	case Refused:
		if p.Username == "" {
			add("sign_in", p.signInLink(), false)
			break
		}
		if p.AsOtherURL == "" {
			add("sign_in_as_other", p.LogoutURL, true)
			break
		}
		add("sign_in_as_other", p.AsOtherURL, false)
		add("sign_out", p.LogoutURL, true) // this is the page that is left
	case Onward:
		add("go_on", p.Next, false)
	case Failed, Trouble:
		add("sign_in_as_other", p.AsOtherURL, false)
		add("try_again", p.signInLink(), false)
	}
	return list
}

// signInLink leads to the sign-in page and from there to Next.
func (p Page) signInLink() string {
	return p.withNext(p.LoginURL)
}

// signOutLink signs out from Next. It may take parameters.
func (p Page) signOutLink(parameters ...string) string {
	return p.withNext(p.LogoutURL, parameters...)
}

// withNext is an endpoint with parameters, names and values in turn, and with
// Next if that is any page in particular.
func (p Page) withNext(endpoint string, parameters ...string) string {
	if endpoint == "" {
		return ""
	}
	query := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	if p.Next != "" && p.Next != "/" {
		query.Set("next", p.Next)
	}
	if len(query) == 0 {
		return endpoint
	}
	return endpoint + "?" + query.Encode()
}
