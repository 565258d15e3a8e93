// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session"
)

// doors outlive reloads: without them each would forget the sessions in memory
// and give everybody new attempts.
var doors = caddy.NewUsagePool()

// door is what handlers share that have the same secrets and session store.
type door struct {
	logger *zap.Logger

	sessions  *session.Manager
	storeKind string        // "storage", "redis" or "cookie"
	stateless bool          // sessions are in cookies, so that only those seen here are known
	storage   *caddyStorage // of the newest configuration; not used with Redis or cookies
	store     io.Closer     // nil: there is nothing to close

	attempts *attempts     // that failed, of people
	secrets  *attempts     // the same of programs: tokens and keys that are not good
	answers  *usedOnce     // of providers, by their state
	channels *channelGuard // of logouts that providers tell of
	renewals *running      // of tokens, in the background
	live     *live         // what is open of each session
	signed   panelLines
	warned   sync.Once // of unencrypted HTTP

	stop context.CancelFunc // of the background work

	mu       sync.Mutex
	handlers []*Handler
}

// doorKey tells doors apart without keeping secrets in memory once more.
type doorKey [sha256.Size]byte

func newDoorKey(s settings, storage certmagic.Storage) doorKey {
	hash := sha256.New()
	write := func(part []byte) {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	write(fmt.Append(nil, s.stateless))
	write([]byte(s.redisURL))
	write([]byte(storageName(storage)))
	for _, secret := range s.secrets {
		write(secret)
	}
	return doorKey(hash.Sum(nil))
}

// openDoor joins the handlers behind a door, or makes it.
func openDoor(h *Handler) (*door, error) {
	value, _, err := doors.LoadOrNew(h.doorKey, func() (caddy.Destructor, error) { return newDoor(h.settings) })
	if err != nil {
		return nil, err
	}
	d := value.(*door)
	d.storage.add(h.storage)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.handlers = append(d.handlers, h)
	return d, nil
}

// closeDoor leaves; the last handler to leave ends the door's background work.
func closeDoor(h *Handler) error {
	d := h.door
	d.mu.Lock()
	d.handlers = slices.DeleteFunc(d.handlers, func(other *Handler) bool { return other == h })
	d.mu.Unlock()
	d.storage.remove(h.storage)
	_, err := doors.Delete(h.doorKey)
	return err
}

// all are the handlers behind the door.
func (d *door) all() []*Handler {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.handlers)
}

// vouchers are the handlers behind the door, with the accounts and rules that
// they go by now.
func (d *door) vouchers() []voucher {
	d.mu.Lock()
	defer d.mu.Unlock()
	vouchers := make([]voucher, len(d.handlers))
	for i, h := range d.handlers {
		vouchers[i] = voucher{h, h.accounts(), h.rules.current()}
	}
	return vouchers
}

func newDoor(s settings) (*door, error) {
	d := &door{
		logger:    lastingLogger("http.handlers.panelauth"),
		stateless: s.stateless,
		storage:   new(caddyStorage),
		attempts:  newAttempts(),
		secrets:   newAttempts(),
		answers:   newUsedOnce(),
		channels:  newChannelGuard(),
		renewals:  newRunning(),
		live:      newLive(),
	}
	logger := lastingLogger("http.handlers.panelauth.session")
	sessions, err := session.NewManager(session.Config{
		Secrets: s.secrets,
		Logger:  logger,
		Store:   d.openStore(s, logger),
		Ended:   func(s *session.Session) { d.live.closeAll(s.ID) },
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing sessions: %w", err), d.closeStore())
	}
	d.sessions = sessions
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	go sessions.Run(ctx)
	go d.live.watch(ctx, d)
	return d, nil
}

// Destruct implements caddy.Destructor.
func (d *door) Destruct() error {
	d.stop()
	return d.closeStore()
}

func (d *door) closeStore() error {
	if d.store == nil {
		return nil
	}
	return d.store.Close()
}

// Interface guard
var _ caddy.Destructor = (*door)(nil)
