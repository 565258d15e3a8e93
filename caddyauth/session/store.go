// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// Store keeps values under keys such as "sessions/<bucket>/<id>" and
// "index/<bucket>/<whose>/<id>", and these alone contain slashes. The
// conformance suite is sessiontest.RunStore.
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
)

func recordKey(id identity, expires time.Time) string {
	return rootKey + "/" + strconv.FormatInt(bucketOf(expires), 10) + "/" + id.String()
}

// tokensKey is where a record's tokens are, which change.
func tokensKey(recordKey string) string { return recordKey + tokensSuffix }

func bucketOf(t time.Time) int64 {
	return t.Unix() / bucketSeconds
}

// isOldBucket reports whether everything in a bucket has been over for an hour
// at least, which leaves room for clocks that differ.
func isOldBucket(name string, now time.Time) bool {
	bucket, err := strconv.ParseInt(name, 10, 64)
	return err == nil && bucket+1 < bucketOf(now)
}
