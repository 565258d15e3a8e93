// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"crypto/sha256"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"go.uber.org/zap"
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
