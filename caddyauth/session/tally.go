// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Attempts to sign in are counted in the store, so that instances count
// together and a restart forgives nothing. An entry is a key alone,
//
//	attempts/<bucket>/<area>/<until when it counts>.<address>.<user>.<random>
//
// with HMACs for whose it is. All of an area are in one folder, so that counting
// them is one write and mostly one look.
const attemptsRoot = "attempts"

const (
	// What strangers can make an instance write. Beyond that it counts for
	// itself.
	notesPerSecond = 10
	notesAtOnce    = 1000
)

// Tallier is a Store that has a better way than Save and List to count what
// happens on all instances.
type Tallier interface {
	Store
	// Note adds an entry to a tally, until it expires, and returns the others
	// that have not expired. Of two that are added at once, one at least is
	// returned for the other.
	Note(ctx context.Context, tally, entry string, now, expires time.Time) (others []string, err error)
	// Strike takes entries out of a tally. Unknown ones are no error.
	Strike(ctx context.Context, tally string, entries []string) error
}

// Attempt says who tries to sign in: a name, from an address in an area.
type Attempt struct {
	User, Address, Area string
}

// Noted is an attempt that all instances know of.
type Noted struct {
	// When the others were made that count, the oldest first: for this user
	// from this address, from the address, from the area.
	ByUser, ByAddress, ByArea []time.Time

	tally  string
	own    string
	ofUser []string
}

var errTooManyNotes = errors.New("too many attempts to count them together")

// Note adds an attempt to those that all instances count. It returns nil if
// sessions are in cookies, so that there is nowhere to count. An error means
// that this instance counts alone.
func (m *Manager) Note(ctx context.Context, who Attempt, window time.Duration) (*Noted, error) {
	if m.store == nil {
		return nil, nil
	}
	now := m.config.Now()
	if !m.notes.AllowN(now, 1) {
		return nil, errTooManyNotes
	}
	if !m.store.works() && !m.store.mayRetry(now) {
		return nil, errors.New("the store was away a moment ago")
	}
	tally, mark := m.tallies.place(who)
	expires := now.Add(window)
	entry := strconv.FormatInt(expires.UnixMilli(), 10) + "." + mark + "." + rand.Text()
	n := &Noted{tally: tally, own: entry}
	// Who does not wait for the answer has tried nevertheless.
	others, err := m.tally(context.WithoutCancel(ctx), n, now, expires)
	if err != nil {
		m.store.complain("counting attempts together with other instances failed, counting them here", err)
		return nil, err
	}
	n.read(others, mark, window, now)
	return n, nil
}

// TakeBack forgets an attempt that was not made after all.
func (m *Manager) TakeBack(n *Noted) {
	if n != nil {
		m.strike(n.tally, []string{n.own})
	}
}

// Forgive forgets an attempt that went well, and those of the same user from
// the same address before it.
func (m *Manager) Forgive(n *Noted) {
	if n != nil {
		m.strike(n.tally, append(n.ofUser, n.own))
	}
}

// read counts the others. What counts for longer than the window comes from a
// clock that was put back since, or from other options.
func (n *Noted) read(others []string, mark string, window time.Duration, now time.Time) {
	slices.Sort(others)
	address, _, _ := strings.Cut(mark, ".")
	for _, key := range others {
		entry := key[strings.LastIndexByte(key, '/')+1:]
		part := strings.Split(entry, ".")
		until, err := strconv.ParseInt(part[0], 10, 64)
		left := time.UnixMilli(until).Sub(now)
		if err != nil || len(part) != 4 || left <= 0 || left > window+skew {
			continue
		}
		at := time.UnixMilli(until).Add(-window)
		n.ByArea = append(n.ByArea, at)
		if part[1] == address {
			n.ByAddress = append(n.ByAddress, at)
		}
		if part[1]+"."+part[2] == mark {
			n.ByUser = append(n.ByUser, at)
			n.ofUser = append(n.ofUser, key)
		}
	}
}

// tally adds an attempt and returns the others of its area.
func (m *Manager) tally(ctx context.Context, n *Noted, now, expires time.Time) (others []string, err error) {
	if tallier, ok := m.config.Store.(Tallier); ok {
		found := make(chan []string, 1)
		err = m.store.do(ctx, m.config.StoreTimeout, func(ctx context.Context) error {
			others, err := tallier.Note(ctx, n.tally, n.own, now, expires)
			found <- others
			return err
		})
		if err != nil {
			return nil, err
		}
		return <-found, nil
	}
	return m.tallyInFolders(ctx, n, now, expires)
}

// tallyInFolders writes first and looks then, so that of two at once one at
// least sees the other.
func (m *Manager) tallyInFolders(ctx context.Context, n *Noted, now, expires time.Time) (others []string, err error) {
	n.own = attemptsFolder(bucketOf(expires), n.tally) + "/" + n.own
	if err := m.store.save(ctx, m.config.StoreTimeout, n.own, []byte{'1'}, expires); err != nil {
		return nil, err
	}
	for bucket := bucketOf(now); bucket <= bucketOf(expires); bucket++ {
		keys, err := m.store.list(ctx, m.config.StoreTimeout, attemptsFolder(bucket, n.tally))
		if err != nil {
			return nil, err
		}
		others = append(others, keys...)
	}
	return slices.DeleteFunc(others, func(key string) bool { return key == n.own }), nil
}

func attemptsFolder(bucket int64, tally string) string {
	return attemptsRoot + "/" + strconv.FormatInt(bucket, 10) + "/" + tally
}

// strike takes entries out. Those that stay count until they expire.
func (m *Manager) strike(tally string, entries []string) {
	ctx := context.Background()
	if tallier, ok := m.config.Store.(Tallier); ok {
		_ = m.store.do(ctx, m.config.StoreTimeout, func(ctx context.Context) error { return tallier.Strike(ctx, tally, entries) })
		return
	}
	for _, key := range entries {
		if m.store.delete(ctx, m.config.StoreTimeout, key) != nil {
			return // rather than waiting for each
		}
	}
}

// tallies names what attempts are counted by, so that who reads the store does
// not learn who signs in, nor from where.
type tallies struct{ key []byte }

func newTallies(secrets [][]byte) (tallies, error) {
	key, err := hkdf.Key(sha256.New, secrets[0], nil, "panelauth attempts", sha256.Size)
	if err != nil {
		return tallies{}, errors.New("deriving session keys failed")
	}
	return tallies{key}, nil
}

// place is where attempts are counted, and how those of somebody are told from
// those of others there.
func (t tallies) place(who Attempt) (tally, mark string) {
	return t.name(16, "area", who.Area), t.name(8, "address", who.Address) + "." + t.name(8, "user", who.User, who.Address)
}

func (t tallies) name(length int, parts ...string) string {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(newTerm(parts...)))
	return hex.EncodeToString(mac.Sum(nil)[:length])
}

func newNotes() *rate.Limiter { return rate.NewLimiter(notesPerSecond, notesAtOnce) }
