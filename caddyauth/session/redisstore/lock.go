// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

const (
	// lockRoot keeps locks apart from values.
	lockRoot = root + "lock:"

	firstPoll = 10 * time.Millisecond
	lastPoll  = 100 * time.Millisecond

	// unlockTimeout is how long somebody waits for a lock to be given back
	// before that goes on in the background.
	unlockTimeout = 500 * time.Millisecond
	unlockEvery   = time.Second
	maxUnlocking  = 64
)

// acquire takes a lock that nobody has. Who has it already, because the answer
// to an earlier attempt was lost, has it again.
var acquire = redis.NewScript(`
local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then
	return 0
end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return 1
`)

// release gives back a lock, if it is still the same.
var release = redis.NewScript(`
if redis.call("GET", KEYS[1]) == ARGV[1] then
	return redis.call("DEL", KEYS[1])
end
return 0
`)

// lock is one that this process holds, or may hold.
type lock struct {
	name, token string
	until       time.Time // then it is free in any case
}

// Lock implements session.Store. A lock lasts for a session.LockLease.
func (s *Store) Lock(ctx context.Context, key string) (unlock func(), err error) {
	l := lock{name: lockRoot + key, token: rand.Text()}
	for wait := firstPoll; ; wait = min(2*wait, lastPoll) {
		l.until = time.Now().Add(session.LockLease)
		got, err := s.tryLock(ctx, l)
		if err != nil {
			// It may have been got nevertheless. Nobody waits for the answer.
			s.unlockLater(l)
			return nil, err
		}
		if got {
			return sync.OnceFunc(func() { s.unlock(l) }), nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait/2 + mathrand.N(wait)): //nolint:gosec // spreads load, protects nothing
		}
	}
}

func (s *Store) tryLock(ctx context.Context, l lock) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	limited, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return acquire.Run(limited, s.client, []string{l.name}, l.token, session.LockLease.Milliseconds()).Bool()
}

func (s *Store) unlock(l lock) {
	if s.tryUnlock(l) != nil {
		s.unlockLater(l)
	}
}

func (s *Store) tryUnlock(l lock) error {
	limited, cancel := context.WithTimeout(s.closed, unlockTimeout)
	defer cancel()
	return release.Run(limited, s.client, []string{l.name}, l.token).Err()
}

// unlockLater keeps trying to give back a lock, unless that is being done for
// too many already.
func (s *Store) unlockLater(l lock) {
	select {
	case s.unlocking <- struct{}{}:
	default:
		return
	}
	go func() {
		defer func() { <-s.unlocking }()
		for time.Now().Before(l.until) {
			if err := s.tryUnlock(l); err == nil || errors.Is(err, redis.ErrClosed) {
				return
			}
			select {
			case <-s.closed.Done():
				return
			case <-time.After(unlockEvery):
			}
		}
	}()
}
