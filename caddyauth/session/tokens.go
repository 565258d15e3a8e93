// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// RenewAhead is how long before they expire tokens are due to be renewed.
const RenewAhead = time.Minute

// Tokens are what a session holds for its application: what a provider gave at
// sign-in, and gives anew while the session lasts.
type Tokens struct {
	Access  string `json:"access,omitempty"`
	Refresh string `json:"refresh,omitempty"`
	ID      string `json:"id,omitempty"`
	// What kind of access token it is, as a rule "Bearer".
	Type string `json:"type,omitempty"`
	// When the access token expires. Zero: unknown.
	Expiry time.Time `json:"expiry,omitzero"`
	// When they replaced others. Zero: they are from sign-in. It is set here and
	// orders the tokens of one session, whatever the instances' clocks say.
	Renewed time.Time `json:"renewed,omitzero"`
	// What a renewal said about the user. Nil: nothing, so that Record.Claims
	// still hold. Not to be changed: requests share it.
	Claims map[string]any `json:"claims,omitempty"`
}

// Due reports whether it is time to renew tokens. None never are.
func (t *Tokens) Due(now time.Time) bool {
	return t != nil && !t.Expiry.IsZero() && now.Add(RenewAhead).After(t.Expiry)
}

// String keeps tokens out of logs.
func (Tokens) String() string { return "[REDACTED: tokens]" }

// GoString keeps tokens out of logs.
func (Tokens) GoString() string { return "[REDACTED: tokens]" }

// followedBy returns new tokens with what did not come anew: a provider may
// leave out what stays as it was (RFC 6749, section 6).
func (t *Tokens) followedBy(next Tokens) Tokens {
	if next.Refresh == "" {
		next.Refresh = t.Refresh
	}
	if next.ID == "" {
		next.ID = t.ID
	}
	if next.Type == "" {
		next.Type = t.Type
	}
	if next.Claims == nil {
		next.Claims = t.Claims
	}
	return next
}

// Tokens returns the session's current tokens, nil if it has none. A session
// whose tokens the store lost has empty ones. Not to be changed: requests
// share them. A renewal brings others, so that the pointer tells them apart.
func (s *Session) Tokens() *Tokens {
	if s.wallet == nil {
		return nil
	}
	return &s.wallet.current.Load().Tokens
}

// wallet is what a session has that changes while it lasts.
type wallet struct {
	current atomic.Pointer[issue]
	// secretID seals new cookies, without a store.
	secretID []byte

	mu      sync.Mutex // for who changes any of this
	failed  error      // why the last renewal failed, nil since a success
	pause   time.Duration
	retryAt time.Time
}

// issue is one set of tokens as this process has it. Only pending changes.
type issue struct {
	Tokens
	// since is when these replaced others here. Zero: they did not, or were due
	// already.
	since time.Time
	// cookie is the cookie that has them, without a store.
	cookie string
	// pending is whether no browser has that cookie yet.
	pending atomic.Bool
}

func newWallet(t Tokens) *wallet {
	w := &wallet{}
	w.current.Store(&issue{Tokens: t})
	return w
}

// isNew reports whether the tokens were replaced so recently, here or
// elsewhere, that who asks for a renewal cannot have meant these.
func (w *wallet) isNew(now time.Time) bool {
	current := w.current.Load()
	here, anywhere := now.Sub(current.since), now.Sub(current.Renewed)
	return here >= 0 && here < renewPause || anywhere >= 0 && anywhere < renewPause
}

// follows reports whether tokens are newer than others, or there are none.
func (t *Tokens) follows(had *Tokens) bool {
	return t.Renewed.After(had.Renewed) || had.isLost() && !t.isLost()
}

func (t *Tokens) isLost() bool { return t.Access == "" && t.Refresh == "" && t.ID == "" }

// trouble returns why tokens should not be renewed for a while, if there is a
// reason.
func (w *wallet) trouble(now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := w.retryAt.Sub(now)
	if w.failed == nil || left <= 0 || left > w.pause {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrBackoff, w.failed)
}

// note remembers how a renewal went.
func (w *wallet) note(err error, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, ErrEnded):
		return
	case err == nil:
		w.pause = 0
	default:
		w.pause = min(max(2*w.pause, firstBackoff), lastBackoff)
	}
	w.failed, w.retryAt = err, now.Add(w.pause)
}

// take gives a session tokens that came from elsewhere, from a store or in a
// cookie, if they are newer than its own.
func (m *Manager) take(s *Session, found *issue) {
	if s.wallet == nil || !found.follows(s.Tokens()) {
		return
	}
	w, now := s.wallet, m.config.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	had := w.current.Load()
	if !found.follows(&had.Tokens) {
		return
	}
	taken := &issue{Tokens: found.Tokens, cookie: found.cookie}
	if !taken.Due(now) {
		taken.since = now
	}
	w.current.Store(taken)
	w.failed, w.pause = nil, 0
	m.forgetCookie(had)
}

// give gives a session renewed tokens. They are newer than its own, whatever
// the clock says.
func (m *Manager) give(s *Session, t Tokens) {
	w, now := s.wallet, m.config.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	had := w.current.Load()
	t.Renewed = now
	if earliest := had.Renewed.Add(time.Millisecond); now.Before(earliest) {
		t.Renewed = earliest
	}
	if same, err := asStored(t); err == nil {
		t = same
	}
	renewed := &issue{Tokens: t, since: now}
	m.bake(s, renewed)
	w.current.Store(renewed)
	m.forgetCookie(had)
}
