// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// All returns the sessions that go on, a bucket of the store at a time, so that
// not all need be in memory. Records that do not open are another Manager's.
// Without a store it returns those that this process knows, since nobody knows
// more. After an error, which comes without a session, there is no more.
func (m *Manager) All(ctx context.Context) iter.Seq2[*Session, error] {
	if m.store == nil {
		return m.allHere(func(*Record) bool { return true })
	}
	return func(yield func(*Session, error) bool) {
		buckets, err := m.buckets(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, bucket := range buckets {
			if !m.allIn(ctx, bucket, yield) {
				return
			}
		}
	}
}

// allIn yields the sessions of a bucket and reports whether more are wanted.
func (m *Manager) allIn(ctx context.Context, bucket string, yield func(*Session, error) bool) bool {
	keys, err := m.store.list(ctx, backgroundTimeout, rootKey+"/"+bucket)
	if err != nil {
		yield(nil, err)
		return false
	}
	for some := range slices.Chunk(recordsAmong(keys), atATime) {
		for _, found := range m.lookAt(ctx, some) {
			if found.err != nil {
				yield(nil, found.err)
				return false
			}
			if found.session != nil && !yield(found.session, nil) {
				return false
			}
		}
	}
	return true
}

// listedRecord is a record in a list of keys.
type listedRecord struct {
	key  string
	seen bool // the store knows when it was last used
}

// recordsAmong are the records in a list of keys, which has what belongs to
// them, too.
func recordsAmong(keys []string) (records []listedRecord) {
	slices.Sort(keys) // what belongs to a record follows it
	for _, key := range keys {
		if _, ok := parseIdentity(nameOf(key)); ok {
			records = append(records, listedRecord{key: key})
		} else if last := len(records) - 1; last >= 0 && key == records[last].key+seenSuffix {
			records[last].seen = true
		}
	}
	return records
}

// atATime is how many records are asked for before the first of them is shown,
// a few at once: one after the other, the way to a store is most of the time.
const atATime = 256

type lookedAt struct {
	session *Session
	err     error
}

// lookAt returns the sessions of records, nil for those that are not to be
// shown.
func (m *Manager) lookAt(ctx context.Context, records []listedRecord) []lookedAt {
	found := make([]lookedAt, len(records))
	var looks errgroup.Group
	looks.SetLimit(maxLooks)
	for i, record := range records {
		looks.Go(func() error {
			s, err := m.at(ctx, record.key)
			if s != nil && record.seen {
				m.learnLastSeen(ctx, s)
			}
			found[i] = lookedAt{s, err}
			return nil
		})
	}
	_ = looks.Wait() // none of them has an error
	return found
}

// learnLastSeen asks the store whether a session was used elsewhere later than
// here. That it does not know is no reason not to list the session.
func (m *Manager) learnLastSeen(ctx context.Context, s *Session) {
	text, err := m.store.load(ctx, s.key()+seenSuffix)
	if err != nil {
		return
	}
	unix, err := strconv.ParseInt(string(text), 10, 64)
	if seen := time.Unix(unix, 0); err == nil && seen.After(s.LastSeen()) {
		s.seen.Store(seen.UnixNano())
	}
}

// Of returns somebody's sessions that go on: those that the store has, and those
// that this process knows, for the index may have lost an entry. If the store
// cannot be asked, the error comes after them. Without a store, those that this
// process knows are all that it can return: see Bar.
func (m *Manager) Of(ctx context.Context, who Who) iter.Seq2[*Session, error] {
	if m.store == nil {
		return m.allHere(who.matches)
	}
	return func(yield func(*Session, error) bool) {
		returned := make(map[identity]bool)
		keys, err := m.lookUp(ctx, who)
		for some := range slices.Chunk(recordsAmong(keys), atATime) {
			for _, found := range m.lookAt(ctx, some) {
				if found.err != nil {
					err = found.err
				}
				s := found.session
				if s == nil || !who.matches(&s.Record) {
					continue
				}
				returned[s.identity] = true
				if !yield(s, nil) {
					return
				}
			}
		}
		for s, none := range m.allHere(who.matches) {
			if !returned[s.identity] && !yield(s, none) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// ByID returns the session of a public name, nil if there is none. It need not
// open others for that, but has to look in every bucket.
func (m *Manager) ByID(ctx context.Context, name string) (*Session, error) {
	id, ok := parseIdentity(name)
	if !ok {
		return nil, nil
	}
	if s := m.here(id); s != nil || m.store == nil {
		return s, nil
	}
	buckets, err := m.buckets(ctx)
	if err != nil {
		return nil, err
	}
	var found atomic.Pointer[Session]
	var looks errgroup.Group
	looks.SetLimit(maxLooks)
	for _, bucket := range buckets {
		if found.Load() != nil {
			break
		}
		looks.Go(func() error {
			s, err := m.at(ctx, rootKey+"/"+bucket+"/"+name)
			if s != nil {
				found.Store(s)
			}
			return err
		})
	}
	err = looks.Wait()
	if s := found.Load(); s != nil {
		return s, nil
	}
	return nil, err
}

// here returns a session that this process knows and that goes on, or nil.
func (m *Manager) here(id identity) *Session {
	p, _ := m.known.get(id)
	s := p.Value()
	if s == nil || s.Over(m.config.Now()) {
		return nil
	}
	return s
}

func (m *Manager) allHere(wanted func(*Record) bool) iter.Seq2[*Session, error] {
	return func(yield func(*Session, error) bool) {
		now := m.config.Now()
		for p := range m.known.all() {
			s := p.Value()
			if s != nil && !s.Over(now) && wanted(&s.Record) && !yield(s, nil) {
				return
			}
		}
	}
}

// at returns the session whose record has a key: the one that this process
// knows or, for looking at and ending, one that is made of the record. It is
// nil if there is none, or it is over, or not this Manager's.
func (m *Manager) at(ctx context.Context, key string) (*Session, error) {
	id, ok := parseIdentity(nameOf(key))
	if !ok {
		return nil, nil
	}
	if s := m.here(id); s != nil {
		return s, nil
	}
	now := m.config.Now()
	if remembers(m.ended, id, now) {
		return nil, nil
	}
	sealed, err := m.store.load(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r Record
	if !m.sealer.open(key, sealed, &r) || !inForce(r.Created, r.Expires, now) {
		return nil, nil
	}
	return newSessionNamed(id, r, now), nil
}

// LoadTokens gives a session that a search returned its tokens, if it has any
// that can be read: most who search do not want them.
func (m *Manager) LoadTokens(s *Session) {
	if m.store != nil {
		_ = m.takeStored(context.Background(), s)
	}
}
