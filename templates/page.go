// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Package templates holds the pages that people see while they sign in and
// out: the built-in ones, which need nothing but themselves, and those that an
// operator wrote in Jinja2, as Panel's are.
package templates

import "time"

// Kind says what a page is for.
type Kind int

const (
	// SignIn is the form, with a button for each provider.
	SignIn Kind = iota
	// SignedOut follows a logout.
	SignedOut
	// SignOut asks for confirmation of a logout that another site asked for.
	SignOut
	// SignOutEverywhere asks for confirmation of a logout in all browsers.
	SignOutEverywhere
	// Refused is for somebody who is signed in but may not go there.
	Refused
	// Failed follows a sign-in with a provider that came to nothing.
	Failed
	// Trouble is any other answer that is not what was asked for.
	Trouble
	// Onward follows a sign-in that cannot lead on by a redirect.
	Onward
)

// Page is what a page says. The same goes to the built-in pages and to those
// of an operator.
type Page struct {
	// Kind says what the page is for.
	Kind Kind
	// Status is the HTTP status, from which Trouble takes its words.
	Status int
	// LoginURL is the path of the login endpoint as the browser sees it.
	LoginURL string
	// LogoutURL is the path of the logout endpoint as the browser sees it.
	LogoutURL string
	// Next is where sign-in leads to; the caller has judged it safe.
	Next string
	// Username is the name just typed, or who is signed in.
	Username string
	// Message names a sentence of our own, never a request's: a text of the
	// files in words/ without its "message.".
	Message string
	// Languages are those that the visitor understands, as an Accept-Language.
	Languages string
	// Remember offers to stay signed in for so long. 0: not offered.
	Remember time.Duration
	// AttemptsLeft says how often signing in may still fail. 0: not said.
	AttemptsLeft int
	// RetryAfter is how long to wait before trying again.
	RetryAfter time.Duration
	// Reference is a number to quote to the operator.
	Reference string
	// Providers are the other ways in, a button each.
	Providers []Provider
	// Password shows the form for a user name and a password.
	Password bool
	// LogoutLink ends the session at the provider.
	LogoutLink string
	// StillKnown says that a provider may let the same account in again.
	StillKnown bool
	// AsOtherURL is where signing in with another account begins. Empty: by
	// signing out.
	AsOtherURL string
}

// Provider is a way to sign in elsewhere.
type Provider struct {
	ID    string
	Label string
	// Text is the whole text of the button. Empty: "Continue with", and the label.
	Text string
	URL  string
	// RememberURL is for who asks to stay signed in. Empty: not offered.
	RememberURL string
	// Mark names a picture in marks/. Empty: none.
	Mark string
}
