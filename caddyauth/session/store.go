// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Store keeps values under keys such as "sessions/<bucket>/<id>" and
// "index/<bucket>/<whose>/<id>", which "attempts/…" look like; only the keys
// contain slashes. The conformance suite is sessiontest.RunStore.
//
// "There is no such key" and "I could not look" must never be confused: the
// one signs somebody out, the other must not. Save replaces a value whole, so
// that a reader sees the old or the new one. A store may forget a value after
// expires, and need not.
type Store interface {
	Save(ctx context.Context, key string, value []byte, expires time.Time) error
	// Load returns ErrNotFound for an unknown key. Any other error means that
	// the store failed.
	Load(ctx context.Context, key string) ([]byte, error)
	// Delete deletes a key; an unknown one is no error.
	Delete(ctx context.Context, key string) error
	// List returns the direct children of a prefix ("sessions" or
	// "sessions/7"), as full keys, values and folders alike. An unknown prefix
	// has none.
	List(ctx context.Context, prefix string) ([]string, error)
	// Lock waits until nobody holds the lock of this key, or until ctx is done,
	// and holds it until unlock is called; ctx lives as long. Locks know each
	// other, on all instances, and have nothing to do with values. One whose
	// holder died is free again after a while, in a store that goes by the
	// clock not before a LockLease. Calling unlock twice does no harm.
	Lock(ctx context.Context, key string) (unlock func(), err error)
}

// Announcer is a Store that can tell the other instances at once that a session
// is over. With any other they find out when they ask the store.
type Announcer interface {
	Store
	// Announce tells all who follow that the session of this key has ended. It
	// comes back when ctx is done.
	Announce(ctx context.Context, key string) error
	// Follow calls ended for every key that is announced, one at a time, its
	// own instance's included, and before that listening: from then on it
	// misses none. It returns when it may have missed one, with the reason, or
	// when ctx is done.
	Follow(ctx context.Context, listening func(), ended func(key string)) error
}

// Expirer is a Store that may forget values by itself.
type Expirer interface {
	Store
	// Expires reports whether it does, so that nobody need sweep it.
	Expires() bool
}

// LockLease is longer than a Manager holds a lock.
const LockLease = time.Minute

// ErrNotFound is what a Store answers if it has no such key.
var ErrNotFound = errors.New("no such key")

// Records are kept in buckets by the hour they expire in, so that a sweep
// deletes whole buckets without opening a record.
const (
	rootKey       = "sessions"
	bucketSeconds = 3600
	seenSuffix    = ".seen"
	tokensSuffix  = ".tokens"

	// maxLifetime is longer than any session lasts.
	maxLifetime = 401 * 24 * time.Hour
)

func recordKey(id identity, expires time.Time) string {
	return rootKey + "/" + strconv.FormatInt(bucketOf(expires), 10) + "/" + id.String()
}

// tokensKey is where a record's tokens are, which change.
func tokensKey(recordKey string) string { return recordKey + tokensSuffix }

func bucketOf(t time.Time) int64 {
	return t.Unix() / bucketSeconds
}

// parseRecordKey is the inverse of recordKey, but for the time, which is when
// the record is over at the latest.
func parseRecordKey(key string, now time.Time) (id identity, until time.Time, ok bool) {
	bucket, name, _ := strings.Cut(strings.TrimPrefix(key, rootKey+"/"), "/")
	number, err := strconv.ParseInt(bucket, 10, 64)
	if err != nil || len(name) != hex.EncodedLen(len(id)) {
		return id, until, false
	}
	if _, err := hex.Decode(id[:], []byte(name)); err != nil {
		return id, until, false
	}
	until = time.Unix((number+1)*bucketSeconds, 0)
	ok = !until.Before(now.Add(-skew)) && until.Before(now.Add(maxLifetime)) && key == recordKey(id, until.Add(-time.Second))
	return id, until, ok
}

// isOldBucket reports whether everything in a bucket has been over for an hour
// at least, which leaves room for clocks that differ.
func isOldBucket(name string, now time.Time) bool {
	bucket, err := strconv.ParseInt(name, 10, 64)
	return err == nil && bucket+1 < bucketOf(now)
}
