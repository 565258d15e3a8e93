// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"strings"
)

//go:embed page.html
var pageSource string

//go:embed style.css
var styleFile string

// styleSource is the style without the notice above it.
var _, styleSource, _ = strings.Cut(styleFile, "*/\n")

// builtin is the one template of the built-in pages. The style is part of its
// text, so that it is the same to the byte on every page.
var builtin = newBuiltin()

func newBuiltin() *template.Template {
	t := template.Must(template.New("page").Parse(pageSource))
	return template.Must(t.New("style").Parse(styleSource)).Lookup("page")
}

// ContentSecurityPolicy goes with every built-in page. It lets the page's own
// style in, by its hash, and forms back to this site.
var ContentSecurityPolicy = policy()

func policy() string {
	page, err := Page{}.Builtin()
	if err != nil {
		panic("templates: " + err.Error())
	}
	hash := sha256.Sum256(styleOf(page))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
}

// styleOf cuts a page's style out, as browsers do before they hash it.
func styleOf(page []byte) []byte {
	_, rest, _ := bytes.Cut(page, []byte("<style>"))
	style, _, _ := bytes.Cut(rest, []byte("</style>"))
	return style
}

// Builtin renders the built-in page.
func (p Page) Builtin() ([]byte, error) {
	var page bytes.Buffer
	if err := builtin.Execute(&page, p.view()); err != nil {
		return nil, fmt.Errorf("rendering the built-in page: %w", err)
	}
	return page.Bytes(), nil
}

// view is what page.html is filled in with.
type view struct {
	Page
	Kind        string
	Words       *language
	Text        text
	Explanation string
	Remember    string
	Wait        string
	Alert       bool
	Providers   []Provider
	Actions     []action
}

// action is one thing to do next.
type action struct {
	Label, URL string
	Main       bool
	Post       bool
}

func (p Page) view() view {
	words := &english
	v := view{
		Page:        p,
		Words:       words,
		Text:        words.text(p),
		Explanation: words.explanation(p),
		Wait:        words.wait(p.RetryAfter),
		Alert:       p.Kind == Failed || p.Kind == Trouble,
		Actions:     p.actions(words),
	}
	v.LogoutLink = link(p.LogoutLink)
	switch p.Kind {
	case SignIn:
		v.Kind = "signin"
	case Refused:
		v.Kind = "refused"
	}
	if p.Remember != "" {
		v.Remember = fmt.Sprintf(words.Remember, p.Remember)
	}
	for _, provider := range p.Providers {
		provider.Label = fmt.Sprintf(words.ContinueWith, provider.Label)
		v.Providers = append(v.Providers, provider)
	}
	return v
}

// actions are what a page offers to do, the likeliest first.
func (p Page) actions(words *language) []action {
	var list []action
	add := func(label, address string, post bool) {
		if address != "" {
			list = append(list, action{Label: label, URL: address, Main: len(list) == 0, Post: post})
		}
	}
	switch p.Kind {
	case SignedOut:
		add(words.SignInAgain, p.signInLink(), false)
	case SignOut:
		add(words.SignOut, p.LogoutURL, true)
		add(words.StaySignedIn, p.Next, false)
	case SignOutEverywhere:
		add(words.SignOutEverywhere, p.LogoutURL+"?everywhere=1", true)
		add(words.StaySignedIn, p.Next, false)
	case Refused:
		if p.Username == "" {
			add(words.SignIn, p.signInLink(), false)
			break
		}
		add(words.SignInAsOther, p.signInLink(), false)
		add(words.SignOut, p.LogoutURL, true)
	case Onward:
		add(words.GoOn, p.Next, false)
	case Failed, Trouble:
		add(words.TryAgain, p.signInLink(), false)
	}
	return list
}

// signInLink leads to the sign-in page and from there to Next.
func (p Page) signInLink() string {
	if p.LoginURL == "" || p.Next == "" || p.Next == "/" {
		return p.LoginURL
	}
	return p.LoginURL + "?next=" + url.QueryEscape(p.Next)
}
