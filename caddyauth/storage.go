// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// storageRoot is the folder of this module in Caddy's storage.
const storageRoot = "panelauth"

// caddyStorage keeps sessions in Caddy's configured storage. A reload brings a
// new storage and later closes the old one, so it uses the newest that is open.
type caddyStorage struct {
	mu   sync.RWMutex
	open []certmagic.Storage
}

var (
	errNoStorage   = errors.New("no storage is open")
	errLostStorage = errors.New("the storage does not have what was in it: is it mounted?")
)

func (s *caddyStorage) add(storage certmagic.Storage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = append(s.open, storage)
}

func (s *caddyStorage) remove(storage certmagic.Storage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.open, storage); i >= 0 {
		s.open = slices.Delete(s.open, i, i+1)
	}
}

func (s *caddyStorage) current() (certmagic.Storage, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.open) == 0 {
		return nil, errNoStorage
	}
	return s.open[len(s.open)-1], nil
}

// marked is the current storage, if what was in it is there: what is written to
// a mount point without its file system vanishes when that is back, and what is
// deleted there comes back with it.
func (s *caddyStorage) marked(ctx context.Context) (certmagic.Storage, error) {
	storage, err := s.current()
	if err != nil {
		return nil, err
	}
	if !storage.Exists(ctx, markerKey) {
		return nil, errLostStorage
	}
	return storage, nil
}

// Save implements session.Store. Expired records are swept by the manager.
func (s *caddyStorage) Save(ctx context.Context, key string, value []byte, _ time.Time) error {
	storage, err := s.marked(ctx)
	if err != nil {
		return err
	}
	return storage.Store(ctx, path.Join(storageRoot, key), value)
}

// Load implements session.Store.
func (s *caddyStorage) Load(ctx context.Context, key string) ([]byte, error) {
	storage, err := s.current()
	if err != nil {
		return nil, err
	}
	value, err := storage.Load(ctx, path.Join(storageRoot, key))
	if !errors.Is(err, fs.ErrNotExist) {
		return value, err
	}
	if !storage.Exists(ctx, markerKey) {
		return nil, errLostStorage
	}
	return nil, session.ErrNotFound
}

// Delete implements session.Store.
func (s *caddyStorage) Delete(ctx context.Context, key string) error {
	storage, err := s.marked(ctx)
	if err != nil {
		return err
	}
	if err := storage.Delete(ctx, path.Join(storageRoot, key)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// List implements session.Store.
func (s *caddyStorage) List(ctx context.Context, prefix string) ([]string, error) {
	storage, err := s.current()
	if err != nil {
		return nil, err
	}
	keys, err := listWhole(ctx, storage, path.Join(storageRoot, prefix))
	if errors.Is(err, fs.ErrNotExist) {
		if !storage.Exists(ctx, markerKey) {
			return nil, errLostStorage
		}
		return nil, nil
	}
	for i, key := range keys {
		keys[i] = path.Join(prefix, path.Base(key))
	}
	return keys, err
}

// maxLooksAgain bounds how often a folder is listed that changes meanwhile.
const maxLooksAgain = 100

// listWhole lists a folder in which others write and delete meanwhile. To some
// storages a file that vanishes while they look is a folder that does not exist,
// and taken for an empty one it would hide what else is in it.
func listWhole(ctx context.Context, storage certmagic.Storage, folder string) (keys []string, err error) {
	for range maxLooksAgain {
		keys, err = listFolder(ctx, storage, folder)
		if !errors.Is(err, fs.ErrNotExist) || !storage.Exists(ctx, folder) {
			return keys, err
		}
	}
	return nil, fmt.Errorf("the folder changes faster than it can be listed: %v", err) //nolint:errorlint // it does exist
}

// listFolder lists what is directly in a folder. On a file system it reads the
// folder itself: certmagic's List would read every folder below it as well, and
// those may hold all sessions.
func listFolder(ctx context.Context, storage certmagic.Storage, folder string) ([]string, error) {
	files, ok := storage.(*certmagic.FileStorage)
	if !ok {
		return storage.List(ctx, folder, false)
	}
	entries, err := os.ReadDir(files.Filename(folder))
	keys := make([]string, len(entries))
	for i, entry := range entries {
		keys[i] = entry.Name()
	}
	return keys, err
}

// Lock implements session.Store. What locks unlocks, even if a reload brings
// another storage meanwhile.
func (s *caddyStorage) Lock(ctx context.Context, key string) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	storage, err := s.marked(ctx)
	if err != nil {
		return nil, err
	}
	name := path.Join(storageRoot, key)
	if err := storage.Lock(ctx, name); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() {
		// A lock that cannot be given back is free again when it is stale.
		_ = storage.Unlock(context.WithoutCancel(ctx), name)
	}), nil
}

// storageName tells storages apart, so that handlers with the same storage
// share what they keep in memory.
func storageName(storage certmagic.Storage) string {
	if named, ok := storage.(fmt.Stringer); ok {
		return named.String()
	}
	return fmt.Sprintf("%T", storage)
}

// Interface guard
var _ session.Store = (*caddyStorage)(nil)
