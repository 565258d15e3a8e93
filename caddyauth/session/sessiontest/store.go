// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package sessiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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
