// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// Config says how a Manager works. Secrets are all it needs.
type Config struct {
	// What cookies and records are sealed with: the first seals, all open.
	// They may be of any length; keys are derived from them.
	Secrets [][]byte
	// Where the records are. Default: in the cookies themselves.
	Store Store
	// Default: logs nothing.
	Logger *zap.Logger
	// Default: time.Now.
	Now func() time.Time

	// A session that was in the store no longer ago than this is taken to be
	// there still; after that, using it checks it in the background.
	// Default: 5s.
	Fresh time.Duration
	// A session that was not checked for so long is checked before it is used.
	// Default: 10s.
	Stale time.Duration
	// How long a request waits for the store. Default: 500ms.
	StoreTimeout time.Duration
	// How many cookies are known in memory. Default: 1048576.
	MaxSessions int

	// Ended is told about a session that somebody has found or begun here and
	// that ends before its lifetime does. It may hear of one twice, and must not
	// wait or call the Manager. Default: nobody is told.
	Ended func(*Session)
}

const (
	defaultFresh        = 5 * time.Second
	defaultStale        = 10 * time.Second
	defaultStoreTimeout = 500 * time.Millisecond
	defaultMaxSessions  = 1 << 20

	// maxBackground bounds the checks and the notes of last use under way.
	maxBackground = 64
	// maxRemembered bounds what is remembered about sessions that are not.
	maxRemembered = 1 << 20
)

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Fresh <= 0 {
		c.Fresh = defaultFresh
	}
	if c.Stale <= 0 {
		c.Stale = defaultStale
	}
	c.Stale = max(c.Stale, c.Fresh)
	if c.StoreTimeout <= 0 {
		c.StoreTimeout = defaultStoreTimeout
	}
	if c.MaxSessions <= 0 {
		c.MaxSessions = defaultMaxSessions
	}
}

// Manager begins, finds and ends sessions. Safe for concurrent use.
type Manager struct {
	config Config // without the secrets
	sealer *sealer
	store  *patience // nil: sessions are in their cookies

	// cookies knows sessions by the hash of the cookie value, which spares
	// opening it.
	cookies *table[cookieHash, *Session]
	// known has every Session that somebody holds, so that two cookies of one
	// session, or a stream that outlives the cached entry, see the same one
	// end.
	known *table[identity, weak.Pointer[Session]]
	// ended has the sessions that ended here, until when they would have
	// lasted.
	ended *table[identity, time.Time]
	// missing has the sessions that the store does not have, until when to
	// believe it.
	missing *table[identity, time.Time]
	// barred has whose sessions ended here without being known, without a store.
	barred *table[[sha256.Size]byte, []bar]
	bars   atomic.Bool // there are some

	index *index

	tallies tallies
	notes   *rate.Limiter // of attempts

	announcer Announcer // nil: the store cannot tell of ends elsewhere
	// deaf is whether ends on other instances may go unheard.
	deaf atomic.Bool
	// doubt is when that was over. What was checked before may have ended.
	doubt atomic.Int64

	flights    singleflight.Group
	background chan struct{}

	owedMu sync.Mutex
	owed   map[string]debt // by the key that the store was not told about
	owes   chan struct{}
}

type cookieHash [32]byte

// NewManager returns a Manager. It refuses to be without a secret.
func NewManager(c Config) (*Manager, error) {
	c.setDefaults()
	sealer, err := newSealer(c.Secrets)
	if err != nil {
		return nil, err
	}
	index, err := newIndex(c.Secrets)
	if err != nil {
		return nil, err
	}
	tallies, err := newTallies(c.Secrets)
	if err != nil {
		return nil, err
	}
	c.Secrets = nil // what is printed by accident must not have them
	m := &Manager{
		config:  c,
		sealer:  sealer,
		cookies: newTable[cookieHash, *Session](c.MaxSessions),
		// No limit: there are as many as are held, and what is no longer held
		// goes within a minute.
		known:      newTable[identity, weak.Pointer[Session]](math.MaxInt),
		ended:      newTable[identity, time.Time](maxRemembered),
		missing:    newTable[identity, time.Time](maxRemembered),
		barred:     newTable[[sha256.Size]byte, []bar](maxRemembered),
		index:      index,
		tallies:    tallies,
		notes:      newNotes(),
		background: make(chan struct{}, maxBackground),
		owed:       map[string]debt{},
		owes:       make(chan struct{}, 1),
	}
	if c.Store != nil {
		m.store = newPatience(c.Store, c.Now, c.Logger)
		m.announcer, _ = c.Store.(Announcer)
		m.deaf.Store(m.announcer != nil)
	}
	return m, nil
}

// Begin saves a new session and returns it with the value of its cookie. If it
// cannot be saved, there is no session.
func (m *Manager) Begin(ctx context.Context, r Record) (*Session, string, error) {
	now := m.config.Now()
	if r.Created.IsZero() {
		r.Created = now
	}
	if r.User == "" || !r.Expires.After(now) {
		return nil, "", errors.New("a session needs a user and a time to live")
	}
	if r.Tokens != nil {
		tokens := *r.Tokens
		tokens.Renewed = time.Time{}
		r.Tokens = &tokens
	}
	r, err := canonical(r)
	if err != nil {
		return nil, "", err
	}
	secretID := newSecretID()
	cookie, err := m.save(ctx, secretID, r)
	if err != nil {
		return nil, "", err
	}
	s := newSession(secretID, r, now)
	s.seen.Store(now.UnixNano())
	if m.store == nil {
		s.carry(secretID, cookie)
	}
	s = m.adopt(s, now)
	m.cookies.put(hashOf(cookie), s)
	return s, cookie, nil
}

func (m *Manager) save(ctx context.Context, secretID []byte, r Record) (cookie string, err error) {
	if m.store == nil {
		return m.sealer.sealRecordCookie(recordCookie{SecretID: secretID, Record: r})
	}
	key := recordKey(identityOf(secretID), r.Expires)
	if err := m.saveNew(ctx, key, r); err != nil {
		return "", err
	}
	return m.sealer.sealTicket(ticket{SecretID: secretID, Created: r.Created.Unix(), Expires: r.Expires.Unix()})
}

// saveNew saves a record, and before it what belongs to it, so that who finds
// it finds that, too, and whoever looks for its user finds it.
func (m *Manager) saveNew(ctx context.Context, key string, r Record) error {
	var before errgroup.Group
	for _, entry := range m.index.entries(key, &r) {
		before.Go(func() error {
			return m.store.save(ctx, m.config.StoreTimeout, entry, []byte{'1'}, r.Expires)
		})
	}
	tokens := r.Tokens
	if tokens != nil {
		before.Go(func() error {
			return m.saveSealed(ctx, m.config.StoreTimeout, tokensKey(key), tokens, r.Expires)
		})
		r.Tokens = new(Tokens) // says that there are some
	}
	err := before.Wait()
	if err == nil {
		err = m.saveRecord(ctx, key, r)
	}
	if err != nil && tokens != nil {
		m.deleteTokens(key, r.Expires)
	}
	return err
}

// saveRecord saves a new record. If that fails, or takes longer than anybody
// waits, it is deleted again: nobody has its cookie, and it would be listed.
func (m *Manager) saveRecord(ctx context.Context, key string, r Record) error {
	sealed, err := m.sealer.seal(key, r)
	if err != nil {
		return err
	}
	return m.store.saveOr(ctx, m.config.StoreTimeout, key, sealed, r.Expires, func() {
		m.owe(key, debt{until: r.Expires})
	})
}

func (m *Manager) saveSealed(ctx context.Context, timeout time.Duration, key string, v any, expires time.Time) error {
	sealed, err := m.sealer.seal(key, v)
	if err != nil {
		return err
	}
	return m.store.save(ctx, timeout, key, sealed, expires)
}

// adopt makes a session the one that all who ask get, unless there is one
// already. That one gets its tokens, if they are newer.
func (m *Manager) adopt(s *Session, now time.Time) *Session {
	found := s
	m.known.update(s.identity, func(p weak.Pointer[Session]) weak.Pointer[Session] {
		if other := p.Value(); other != nil && !other.ended.Load() {
			s = other
			return p
		}
		// Asked under the lock: End first remembers and then looks for whom to
		// tell, so that one of the two notices the other.
		if remembers(m.ended, s.identity, now) || m.isBarred(&s.Record) {
			s.ended.Store(true)
		}
		return weak.Make(s)
	})
	if s != found && found.wallet != nil {
		m.take(s, found.wallet.current.Load())
	}
	return s
}

// End ends a session, for every copy of its cookie: here at once, elsewhere
// when they hear of it or ask the store. An error means that the store could not be told
// yet; Run keeps trying.
func (m *Manager) End(ctx context.Context, s *Session) error {
	if s == nil {
		return nil
	}
	m.end(s)
	m.endHere(s.identity, s.Expires.Add(skew))
	if m.store == nil {
		return nil
	}
	// Ended is ended, even if the client did not wait for the answer.
	ctx = context.WithoutCancel(ctx)
	if err := m.store.delete(ctx, m.config.StoreTimeout, s.key()); err != nil {
		m.owe(s.key(), debt{until: s.Expires})
		if s.wallet != nil {
			m.owe(tokensKey(s.key()), debt{until: s.Expires})
		}
		return err
	}
	m.announce(ctx, s.key())
	if s.wallet != nil {
		m.deleteTokens(s.key(), s.Expires)
	}
	// Left behind, it does no harm until it is swept.
	m.later(func() {
		_ = m.store.delete(ctx, backgroundTimeout, s.key()+seenSuffix)
		m.forgetIndex(s.key(), &s.Record)
	})
	return nil
}

// endHere ends a session for all who hold it here, and for who finds it in the
// store while that has it still.
func (m *Manager) endHere(id identity, until time.Time) {
	m.ended.put(id, until)
	if p, ok := m.known.get(id); ok {
		if s := p.Value(); s != nil {
			m.end(s)
		}
	}
}

// end makes a session over for all who hold it.
func (m *Manager) end(s *Session) {
	if s.ended.CompareAndSwap(false, true) && m.config.Ended != nil {
		m.config.Ended(s)
	}
}

// remembers reports whether a table still has something to say about a session.
func remembers(t *table[identity, time.Time], id identity, now time.Time) bool {
	until, ok := t.get(id)
	return ok && now.Before(until)
}

// later runs what nobody waits for, unless too much of it is under way.
func (m *Manager) later(task func()) bool {
	select {
	case m.background <- struct{}{}:
	default:
		return false
	}
	go func() {
		defer func() { <-m.background }()
		task()
	}()
	return true
}
