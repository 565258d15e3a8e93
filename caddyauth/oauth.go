// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/templates"
)

// way is a provider that people can sign in with.
type way struct {
	*provider.Provider

	redirectURI  string // as configured
	redirectPath string // of that
	label        string
	proofParts   []string // what a session made this way depends on
}

func newWay(ctx context.Context, s providerSettings, logger *zap.Logger) (*way, error) {
	s.config.Logger = logger
	p, err := provider.New(s.config)
	if err != nil {
		return nil, err
	}
	go p.Run(ctx)
	return &way{
		Provider:     p,
		redirectURI:  s.redirectURI,
		redirectPath: redirectPath(s.redirectURI),
		label:        labelOf(s.label, p.Name(), p.ID()),
		proofParts:   []string{"provider", p.Name(), p.Authority(), p.ClientID()},
	}, nil
}

// way returns the provider of an id, or nil.
func (h *Handler) way(id string) *way {
	for _, w := range h.ways {
		if w.ID() == id {
			return w
		}
	}
	return nil
}

// passwordWay is the provider that takes the form's password, or nil.
func (h *Handler) passwordWay() *way {
	for _, w := range h.ways {
		if w.UsesPassword() {
			return w
		}
	}
	return nil
}

// onlyWay is the provider to go straight to, where there is nothing to choose.
func (h *Handler) onlyWay() *way {
	if len(h.ways) != 1 || h.hasForm() {
		return nil
	}
	return h.ways[0]
}

func (h *Handler) hasForm() bool {
	return h.accounts() != nil || h.passwordWay() != nil
}

// wayFor is the provider that a session was made with, if it could be made
// with it today.
func (h *Handler) wayFor(r *session.Record) *way {
	for _, w := range h.ways {
		if session.MatchesFingerprint(r.Proof, w.proofParts...) {
			return w
		}
	}
	return nil
}

// begunSignIn is what the browser keeps while its visitor is at the provider.
type begunSignIn struct {
	Attempt provider.Attempt `json:"a"`
	Next    string           `json:"n"`
}

// toProvider sends the visitor to a provider.
func (h *Handler) toProvider(w http.ResponseWriter, r *http.Request, through *way, next string, cookies cookies) error {
	attempt, err := through.Begin(r.Context(), h.redirectURI(r, through))
	if err != nil {
		return h.signInFailed(w, r, through, err, next)
	}
	if err := h.keepAttempt(w, r, begunSignIn{Attempt: attempt, Next: next}, cookies); err != nil {
		return err
	}
	redirect(w, attempt.URL, http.StatusFound)
	return nil
}

// redirectURI is where a provider sends people back to.
func (h *Handler) redirectURI(r *http.Request, through *way) string {
	if through.redirectURI != "" {
		return through.redirectURI
	}
	return origin(r) + h.loginURL(r)
}

// origin is this site as the browser reaches it.
func origin(r *http.Request) string {
	if isHTTPS(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// isCallback reports whether a request brings a provider's answer: to the login
// endpoint, to a configured redirect URI, or to the root of the site, where
// applications that were registered for Panel have theirs. At the root only our
// own state makes it one, since an application may use these parameters too.
func (h *Handler) isCallback(r *http.Request, cookies cookies) bool {
	if len(h.ways) == 0 || r.Method != http.MethodGet || r.URL.RawQuery == "" || isWebsocket(r) {
		return false
	}
	query := r.URL.Query()
	state := query.Get("state")
	if !query.Has("code") && !query.Has("error") {
		return false
	}
	path := originalURL(r).Path
	switch {
	case endpoint(r.URL.Path) == h.settings.login:
		return true
	case state == "":
		return false
	case r.URL.Path == "/" || h.isRedirectPath(path):
		return h.hasAttempt(r, state, cookies)
	}
	return false
}

// finishSignIn takes a provider's answer.
func (h *Handler) finishSignIn(w http.ResponseWriter, r *http.Request, cookies cookies) error {
	params := r.URL.Query()
	begun, through := h.takeAttempt(w, r, params.Get("state"), cookies)
	if through == nil || h.isElsewhere(r, through) {
		return h.signInFailed(w, r, nil, errNoAttempt, "")
	}
	next := h.afterSignIn(r, begun.Next)
	who, err := through.Finish(r.Context(), begun.Attempt, params)
	if err != nil {
		return h.signInFailed(w, r, through, err, next)
	}
	return h.welcome(w, r, newcomer{
		record:   h.providerRecord(through, who),
		next:     next,
		lifetime: h.settings.lifetime,
	}, cookies)
}

// isElsewhere reports an answer that came to the address of another provider: a
// provider that pretends to be another cannot choose where its own answers go
// (RFC 9700, section 4.4).
func (h *Handler) isElsewhere(r *http.Request, through *way) bool {
	path := endpoint(originalURL(r).Path)
	return h.answerPath(r, through) != path &&
		slices.ContainsFunc(h.ways, func(other *way) bool { return h.answerPath(r, other) == path })
}

// answerPath is where a provider's answers are expected.
func (h *Handler) answerPath(r *http.Request, through *way) string {
	return endpoint(cmp.Or(through.redirectPath, h.loginURL(r)))
}

// providerRecord is the session of somebody who signed in with a provider.
func (h *Handler) providerRecord(through *way, who *provider.Identity) session.Record {
	return session.Record{
		User:     who.User,
		Provider: through.ID(),
		Claims:   who.Claims,
		Proof:    session.Fingerprint(through.proofParts...),
		Issuer:   who.Issuer,
		Subject:  who.Subject,
		SID:      who.SID,
		Tokens:   fromProvider(who.Tokens),
	}
}

var errNoAttempt = errors.New("the answer belongs to no sign-in that this browser has begun")

// signInFailed shows our own words and a number; the provider's words are in
// the log under the same number.
func (h *Handler) signInFailed(w http.ResponseWriter, r *http.Request, through *way, err error, next string) error {
	kind := provider.KindState
	id := ""
	if through != nil {
		kind, id = provider.KindOf(err), through.ID()
	}
	reference := newReference()
	h.logger.Warn("sign-in failed",
		zap.String("event", "login_failed"),
		zap.String("user_id", ""),
		zap.String("client_ip", clientIP(r)),
		zap.String("provider", id),
		zap.String("reason", string(kind)),
		zap.String("reference", reference),
		zap.Error(err))
	status := failureStatus(kind)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	if !wantsPage(r) {
		return writeJSON(w, status, map[string]any{"error": string(kind), "reference": reference})
	}
	page := h.page(r, templates.Failed)
	page.Message = failureMessages[kind]
	page.Reference = reference
	page.Next = next
	return h.writePage(w, r, status, page)
}

func failureStatus(kind provider.Kind) int {
	switch kind {
	case provider.KindUnreachable:
		return http.StatusServiceUnavailable
	case provider.KindNotAllowed:
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// failureMessages are what visitors read. None of it is a provider's word.
var failureMessages = map[provider.Kind]string{
	provider.KindDenied:          "The sign-in was cancelled or refused at the provider.",
	provider.KindState:           "This sign-in was not begun in this browser, or is already over. Please start again.",
	provider.KindExpired:         "This sign-in took too long. Please start again.",
	provider.KindUnreachable:     "The provider cannot be reached at the moment. Please try again in a little while.",
	provider.KindMisbehaved:      "The provider's answer could not be trusted.",
	provider.KindMisconfigured:   "The provider does not accept this site as it is set up.",
	provider.KindMissingUser:     "The provider did not say who you are.",
	provider.KindUnverifiedEmail: "Your e-mail address has not been verified at the provider.",
	provider.KindNotAllowed:      "This account may not sign in here.",
	provider.KindGroups:          "The provider did not say which groups you belong to.",
	provider.KindBadCredentials:  wrongPassword,
}

// Sign-ins under way are kept in the browser, a cookie each, so that several
// tabs can sign in at once and strangers cost no memory here.
const maxBegun = 8

// attemptCookie is the name of the cookie that keeps the sign-in of a state.
func (h *Handler) attemptCookie(r *http.Request, state string) string {
	hash := sha256.Sum256([]byte(state))
	return h.sessionCookieName(r) + attemptInfix + hex.EncodeToString(hash[:8])
}

const attemptInfix = "_state_"

// keepAttempt gives the browser a sign-in to keep, and makes room for it.
func (h *Handler) keepAttempt(w http.ResponseWriter, r *http.Request, begun begunSignIn, cookies cookies) error {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false) // it would not fit into a cookie
	if err := encoder.Encode(begun); err != nil {
		return err
	}
	name := h.attemptCookie(r, begun.Attempt.State)
	sealed, err := h.envelope.Seal(name, plain.Bytes())
	if err != nil {
		return err
	}
	h.dropOldAttempts(w, r, cookies)
	cookie := h.newAttemptCookie(r, name)
	cookie.Value, cookie.MaxAge = sealed, int(provider.AttemptLifetime.Seconds())
	http.SetCookie(w, cookie)
	return nil
}

// newAttemptCookie is never Strict and for every path: it must come along when
// the provider sends the visitor back.
func (h *Handler) newAttemptCookie(r *http.Request, name string) *http.Cookie {
	cookie := h.newCookie(r, name)
	cookie.SameSite = http.SameSiteLaxMode
	cookie.Path = "/"
	return cookie
}

// dropOldAttempts deletes the oldest sign-ins of a browser beyond the allowed
// number, and those that cannot be read any more.
func (h *Handler) dropOldAttempts(w http.ResponseWriter, r *http.Request, cookies cookies) {
	type kept struct {
		name  string
		begun time.Time
	}
	var known []kept
	cookies.each(func(text, _ string) bool {
		name, value, _ := strings.Cut(text, "=")
		if strings.HasPrefix(name, h.sessionCookieName(r)+attemptInfix) {
			begun, _ := h.openAttempt(name, value)
			known = append(known, kept{name, begun.Attempt.Begun})
		}
		return len(known) < 4*maxBegun
	})
	slices.SortFunc(known, func(a, b kept) int { return b.begun.Compare(a.begun) })
	for i, old := range known {
		if i >= maxBegun-1 || old.begun.IsZero() {
			h.deleteAttempt(w, r, old.name)
		}
	}
}

func (h *Handler) deleteAttempt(w http.ResponseWriter, r *http.Request, name string) {
	cookie := h.newAttemptCookie(r, name)
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}

func (h *Handler) openAttempt(name, value string) (begun begunSignIn, ok bool) {
	plain, ok := h.envelope.Open(name, value)
	if !ok || json.Unmarshal(plain, &begun) != nil {
		return begunSignIn{}, false
	}
	return begun, true
}

// hasAttempt reports whether this browser has begun a sign-in of that state.
func (h *Handler) hasAttempt(r *http.Request, state string, cookies cookies) bool {
	_, ok := h.findAttempt(r, state, cookies)
	return ok
}

func (h *Handler) findAttempt(r *http.Request, state string, cookies cookies) (begun begunSignIn, ok bool) {
	if state == "" || len(state) > 512 {
		return begun, false
	}
	want := h.attemptCookie(r, state)
	cookies.each(func(text, _ string) bool {
		if name, value, _ := strings.Cut(text, "="); name == want {
			begun, ok = h.openAttempt(name, value)
			ok = ok && subtle.ConstantTimeCompare([]byte(begun.Attempt.State), []byte(state)) == 1
		}
		return !ok
	})
	return begun, ok
}

// takeAttempt returns the sign-in of a state and forgets it: an answer may
// arrive twice, a sign-in is finished once.
func (h *Handler) takeAttempt(w http.ResponseWriter, r *http.Request, state string, cookies cookies) (begunSignIn, *way) {
	begun, ok := h.findAttempt(r, state, cookies)
	if !ok {
		return begun, nil
	}
	h.deleteAttempt(w, r, h.attemptCookie(r, state))
	if !h.door.answers.first(begun.Attempt.State, h.now()) {
		return begun, nil
	}
	return begun, h.way(begun.Attempt.Provider)
}

// redirectPath is the path of a configured redirect URI, as requests have it.
func redirectPath(uri string) string {
	u, err := url.Parse(uri)
	if uri == "" || err != nil {
		return ""
	}
	return cmp.Or(u.Path, "/")
}

// isRedirectPath reports whether a provider has its redirect URI there.
func (h *Handler) isRedirectPath(path string) bool {
	return slices.ContainsFunc(h.ways, func(w *way) bool { return w.redirectPath == path })
}
