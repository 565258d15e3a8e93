// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
	"github.com/panelauth/caddy-panelauth/caddyauth/session/sessiontest"
)

func TestCaddyStorageIsASessionStore(t *testing.T) {
	sessiontest.RunStore(t, func(t *testing.T) session.Store {
		store := new(caddyStorage)
		store.add(newMarkedFolder(t))
		return store
	})
}

// A storage is away when its folder is.
func TestCaddyStorageInstances(t *testing.T) {
	sessiontest.RunInstances(t, func(t *testing.T) sessiontest.Rig {
		storage := newMarkedFolder(t)
		move := func(from, to string) {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
		var delay atomic.Int64
		return sessiontest.Rig{
			Open: func() session.Store {
				store := new(caddyStorage)
				store.add(&slowStorage{&certmagic.FileStorage{Path: storage.Path}, &delay})
				return store
			},
			Break: func() { move(storage.Path, storage.Path+".away") },
			Mend:  func() { move(storage.Path+".away", storage.Path) },
			Slow:  func(d time.Duration) { delay.Store(int64(d)) },
		}
	})
}

// slowStorage is a file system that takes its time, whoever waits.
type slowStorage struct {
	*certmagic.FileStorage
	delay *atomic.Int64
}

func (s *slowStorage) wait() { time.Sleep(time.Duration(s.delay.Load())) }

func (s *slowStorage) Store(ctx context.Context, key string, value []byte) error {
	s.wait()
	return s.FileStorage.Store(ctx, key, value)
}

func (s *slowStorage) Load(ctx context.Context, key string) ([]byte, error) {
	s.wait()
	return s.FileStorage.Load(ctx, key)
}

func (s *slowStorage) Delete(ctx context.Context, key string) error {
	s.wait()
	return s.FileStorage.Delete(ctx, key)
}

// newMarkedFolder is a storage that is ready for sessions.
func newMarkedFolder(t *testing.T) *certmagic.FileStorage {
	t.Helper()
	storage := &certmagic.FileStorage{Path: t.TempDir()}
	if err := mark(t.Context(), storage); err != nil {
		t.Fatal(err)
	}
	return storage
}

// A reload opens the new storage before it closes the old one, and a
// configuration that fails to load closes the newer one.
func TestCaddyStorageUsesTheNewestThatIsOpen(t *testing.T) {
	first, second := &certmagic.FileStorage{Path: t.TempDir()}, &certmagic.FileStorage{Path: t.TempDir()}
	store := new(caddyStorage)
	use := func(want certmagic.Storage) {
		t.Helper()
		if got, err := store.current(); got != want || err != nil {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	store.add(first)
	use(first)
	store.add(second)
	use(second)
	store.remove(second)
	use(first)
	store.remove(first)
	if _, err := store.current(); err == nil {
		t.Error("a closed storage is still in use")
	}
}

// A folder whose file system is not mounted has no sessions in it, and signs
// nobody out.
func TestLostStorageIsAnErrorAndNoAnswer(t *testing.T) {
	dir := t.TempDir()
	storage := &certmagic.FileStorage{Path: filepath.Join(dir, "mounted")}
	if err := mark(t.Context(), storage); err != nil {
		t.Fatal(err)
	}
	store := new(caddyStorage)
	store.add(storage)
	if _, err := store.Load(t.Context(), "sessions/1/a"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("an unknown key is %v", err)
	}
	if err := os.Rename(storage.Path, filepath.Join(dir, "away")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(t.Context(), "sessions/1/a"); err == nil || errors.Is(err, session.ErrNotFound) {
		t.Errorf("a key of a storage that is not there is %v", err)
	}
	if err := store.Save(t.Context(), "sessions/1/a", []byte("x"), time.Now().Add(time.Hour)); err == nil {
		t.Error("a session is saved where it will not be found again")
	}
	if keys, err := store.List(t.Context(), "sessions"); err == nil {
		t.Errorf("a storage that is not there has %q", keys)
	}
	if err := store.Delete(t.Context(), "sessions/1/a"); err == nil {
		t.Error("a session is deleted that will be there again")
	}
	if _, err := store.Lock(t.Context(), "sessions/1/a"); err == nil {
		t.Error("a lock is had that other instances do not see")
	}
	if _, err := os.Stat(storage.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made anew: %v", err)
	}
	if err := os.Rename(filepath.Join(dir, "away"), storage.Path); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), "sessions/1/a", []byte("x"), time.Now().Add(time.Hour)); err != nil {
		t.Error(err)
	}
}

// TestListWhileOthersDelete: a file that vanishes while its folder is listed is
// no reason to take the folder for empty, and who is signed out for signed out.
func TestListWhileOthersDelete(t *testing.T) {
	store, storage := new(caddyStorage), &certmagic.FileStorage{Path: t.TempDir()}
	if err := mark(t.Context(), storage); err != nil {
		t.Fatal(err)
	}
	store.add(storage)
	save := func(key string) {
		if err := store.Save(t.Context(), key, []byte{'1'}, time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
	}
	save("index/1/whose/stays")
	stop := make(chan struct{})
	var others sync.WaitGroup
	for i := range 4 {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				key := fmt.Sprint("index/1/whose/comes and goes ", i)
				save(key)
				_ = store.Delete(t.Context(), key)
			}
		})
	}
	for range 2000 {
		keys, err := store.List(t.Context(), "index/1/whose")
		if err == nil && !slices.Contains(keys, "index/1/whose/stays") {
			t.Errorf("listed are %q", keys)
			break
		}
	}
	close(stop)
	others.Wait()
}
