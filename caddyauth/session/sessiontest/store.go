// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package sessiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// RunStore is the conformance suite: what a session.Manager relies on. Each
// part opens a store of its own, which must be empty.
func RunStore(t *testing.T, open func(t *testing.T) session.Store) {
	for _, part := range []struct {
		title string
		test  func(t *testing.T, s session.Store)
	}{
		{"an unknown key is not found", testUnknown},
		{"what was saved is loaded", testLoad},
		{"a value is replaced whole", testReplace},
		{"a value is the store's own", testOwnCopy},
		{"what was deleted is not found", testDelete},
		{"neighbours are left alone", testNeighbours},
		{"direct children are listed", testList},
		{"deleted children are not listed", testListDeleted},
		{"a cancelled call finds nothing out", testCancelled},
		{"readers see whole values", testConcurrent},
		{"a lock excludes", testLockExcludes},
		{"a lock is had again", testLockAgain},
		{"a lock is for its key alone", testLockNeighbours},
		{"a lock is awaited no longer than allowed", testLockImpatient},
		{"a lock is given back by who went away", testLockCancelled},
	} {
		t.Run(part.title, func(t *testing.T) { part.test(t, open(t)) })
	}
}

const testKey = "sessions/495218/0123456789abcdef0123456789abcdef"

func save(t *testing.T, s session.Store, key string, value []byte) {
	t.Helper()
	if err := s.Save(context.Background(), key, value, time.Now().Add(time.Hour)); err != nil {
		t.Fatalf("saving %s: %v", key, err)
	}
}

func remove(t *testing.T, s session.Store, key string) {
	t.Helper()
	if err := s.Delete(context.Background(), key); err != nil {
		t.Fatalf("deleting %s: %v", key, err)
	}
}

func wantValue(t *testing.T, s session.Store, key string, want []byte) {
	t.Helper()
	got, err := s.Load(context.Background(), key)
	if err != nil {
		t.Fatalf("loading %s: %v", key, err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is %.40q, want %.40q", key, got, want)
	}
}

func wantNotFound(t *testing.T, s session.Store, key string) {
	t.Helper()
	if got, err := s.Load(context.Background(), key); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("loading %s: got %.40q and error %v, want ErrNotFound", key, got, err)
	}
}

func wantList(t *testing.T, s session.Store, prefix string, want ...string) {
	t.Helper()
	got, err := s.List(context.Background(), prefix)
	if err != nil {
		t.Fatalf("listing %s: %v", prefix, err)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s has %q, want %q", prefix, got, want)
	}
}

func testUnknown(t *testing.T, s session.Store) {
	wantNotFound(t, s, testKey)
	save(t, s, testKey, []byte("x"))
	wantNotFound(t, s, testKey+".seen")
	wantNotFound(t, s, testKey[:len(testKey)-1])
	wantNotFound(t, s, "sessions/1/x")
}

func testLoad(t *testing.T, s session.Store) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i, value := range [][]byte{[]byte("1"), every, bytes.Repeat(every, 8<<10)} {
		key := fmt.Sprint(testKey, i)
		save(t, s, key, value)
		wantValue(t, s, key, value)
	}
}

func testReplace(t *testing.T, s session.Store) {
	save(t, s, testKey, []byte("a long value"))
	save(t, s, testKey, []byte("short"))
	wantValue(t, s, testKey, []byte("short"))
}

func testOwnCopy(t *testing.T, s session.Store) {
	value := []byte("value")
	save(t, s, testKey, value)
	clear(value)
	got, err := s.Load(context.Background(), testKey)
	if err != nil {
		t.Fatal(err)
	}
	clear(got)
	wantValue(t, s, testKey, []byte("value"))
}

func testDelete(t *testing.T, s session.Store) {
	remove(t, s, testKey) // in a folder that there is not
	save(t, s, testKey, []byte("x"))
	remove(t, s, testKey)
	wantNotFound(t, s, testKey)
	remove(t, s, testKey)
	save(t, s, testKey, []byte("y"))
	wantValue(t, s, testKey, []byte("y"))
}

func testNeighbours(t *testing.T, s session.Store) {
	save(t, s, testKey, []byte("record"))
	save(t, s, testKey+".seen", []byte("1"))
	save(t, s, testKey+"0", []byte("other"))
	remove(t, s, testKey)
	wantNotFound(t, s, testKey)
	wantValue(t, s, testKey+".seen", []byte("1"))
	wantValue(t, s, testKey+"0", []byte("other"))
}

func testList(t *testing.T, s session.Store) {
	wantList(t, s, "sessions")
	for _, key := range []string{"sessions/7/a", "sessions/7/a.seen", "sessions/7/b", "sessions/71/c", "other/d"} {
		save(t, s, key, []byte("x"))
	}
	wantList(t, s, "sessions", "sessions/7", "sessions/71")
	wantList(t, s, "sessions/7", "sessions/7/a", "sessions/7/a.seen", "sessions/7/b")
	wantList(t, s, "sessions/8")
	wantList(t, s, "session")
}

// testListDeleted is what a sweep does: values first, then their folder, which
// is a key of its own in no store and must be no error in any.
func testListDeleted(t *testing.T, s session.Store) {
	save(t, s, "sessions/7/a", []byte("x"))
	save(t, s, "sessions/8/b", []byte("x"))
	remove(t, s, "sessions/7/a")
	wantList(t, s, "sessions/7")
	remove(t, s, "sessions/7")
	wantList(t, s, "sessions", "sessions/8")
	wantValue(t, s, "sessions/8/b", []byte("x"))
}

// testCancelled lets a store ignore its context, but not say that a value is
// not there because it did not look.
func testCancelled(t *testing.T, s session.Store) {
	save(t, s, testKey, []byte("x"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Load(ctx, testKey); errors.Is(err, session.ErrNotFound) {
		t.Error("a cancelled call says that the key is not found")
	}
	wantValue(t, s, testKey, []byte("x"))
}

func testConcurrent(t *testing.T, s session.Store) {
	const size, writers, rounds = 10_000, 4, 20
	save(t, s, testKey, bytes.Repeat([]byte{'0'}, size))
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			value := bytes.Repeat([]byte{'a' + byte(w)}, size)
			for range rounds {
				if err := s.Save(context.Background(), testKey, value, time.Now().Add(time.Hour)); err != nil {
					t.Errorf("saving: %v", err)
				}
			}
		})
		wg.Go(func() {
			for range rounds {
				got, err := s.Load(context.Background(), testKey)
				if err != nil {
					t.Errorf("loading: %v", err)
				}
				if len(got) != size || bytes.Count(got, got[:1]) != size {
					t.Errorf("read a value that nobody wrote, of %d bytes", len(got))
				}
			}
		})
	}
	wg.Wait()
}

// RunAbandonedLock checks that a lock is free again whose holder died. What
// store that is and how long it takes is the caller's to know: it makes the
// holder of a lock of this key look like one that died long ago.
func RunAbandonedLock(t *testing.T, s session.Store, die func(key string)) {
	t.Helper()
	mustLock(t, s, testKey)
	wantLocked(t, s)
	die(testKey)
	mustLock(t, s, testKey)()
}

// lockPatience is longer than any store needs to notice that a lock is free.
const lockPatience = 10 * time.Second

func mustLock(t *testing.T, s session.Store, key string) (unlock func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	t.Cleanup(cancel)
	unlock, err := s.Lock(ctx, key)
	if err != nil {
		t.Fatalf("locking %s: %v", key, err)
	}
	return unlock
}

func wantLocked(t *testing.T, s session.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if unlock, err := s.Lock(ctx, testKey); err == nil {
		unlock()
		t.Fatalf("%s is not locked", testKey)
	}
	if took := time.Since(start); took > lockPatience/4 {
		t.Errorf("waited %v for a lock, much longer than allowed", took)
	}
}

func testLockExcludes(t *testing.T, s session.Store) {
	const holders = 3
	var held, total atomic.Int64
	var wg sync.WaitGroup
	for range holders {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
			defer cancel()
			unlock, err := s.Lock(ctx, testKey)
			if err != nil {
				t.Errorf("locking: %v", err)
				return
			}
			defer unlock()
			if n := held.Add(1); n != 1 {
				t.Errorf("%d hold the lock", n)
			}
			time.Sleep(10 * time.Millisecond)
			held.Add(-1)
			total.Add(1)
		})
	}
	wg.Wait()
	if n := total.Load(); n != holders {
		t.Errorf("%d of %d had the lock", n, holders)
	}
}

func testLockAgain(t *testing.T, s session.Store) {
	first := mustLock(t, s, testKey)
	first()
	second := mustLock(t, s, testKey)
	first() // once more, which must not take it from the second
	wantLocked(t, s)
	second()
	mustLock(t, s, testKey)()
}

func testLockNeighbours(t *testing.T, s session.Store) {
	save(t, s, testKey, []byte("x"))
	unlock := mustLock(t, s, testKey)
	wantValue(t, s, testKey, []byte("x"))
	save(t, s, testKey, []byte("y"))
	mustLock(t, s, testKey+".tokens")()
	mustLock(t, s, testKey[:len(testKey)-1])()
	remove(t, s, testKey)
	wantLocked(t, s)
	wantList(t, s, testKey[:strings.LastIndexByte(testKey, '/')])
	unlock()
	wantNotFound(t, s, testKey)
}

// testLockImpatient also sees that who gave up does not get the lock later.
func testLockImpatient(t *testing.T, s session.Store) {
	unlock := mustLock(t, s, testKey)
	for range 3 {
		wantLocked(t, s)
	}
	unlock()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if unlock, err := s.Lock(ctx, testKey); err == nil {
		unlock()
	}
	mustLock(t, s, testKey)()
}

// testLockCancelled has a lock whose context ends too soon: it may be lost or
// kept, but it must not stay for ever.
func testLockCancelled(t *testing.T, s session.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	unlock, err := s.Lock(ctx, testKey)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	unlock()
	mustLock(t, s, testKey)()
}
