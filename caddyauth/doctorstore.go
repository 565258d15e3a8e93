// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/panelauth/caddy-panelauth/caddyauth/session/redisstore"
)

// storeChecks look where sessions live. Their places are the same for all that
// share one.
func (p *patient) storeChecks(d *doctor) []check {
	s := p.settings
	switch {
	case p.unread != "" || len(p.mistakes) > 0:
		return nil
	case s.redis != nil:
		return []check{{"session store", "redis", func(ctx context.Context, r *report) { checkRedis(ctx, r, s.redis, d.now()) }}}
	case s.stateless && len(s.secrets) > 0:
		return []check{{"session store", p.where + ", cookies", func(_ context.Context, r *report) {
			r.ok("sessions are in cookies: a logout is known to this instance and the browser only")
		}}}
	}
	return []check{{"session store", "Caddy's storage", d.checkStorage}}
}

// trial is what is written to a store and deleted again.
var trial = []byte("a trial of caddy panelauth doctor\n")

func checkRedis(ctx context.Context, r *report, address *redisstore.Address, now time.Time) {
	store := redisstore.New(address, zap.NewNop())
	defer func() { _ = store.Close() }()
	key := "doctor-" + rand.Text()
	err := store.Save(ctx, key, trial, now.Add(time.Minute))
	if err == nil {
		_, err = store.Load(ctx, key)
		err = errors.Join(err, store.Delete(ctx, key))
	}
	if err != nil {
		// The error itself may quote the URL, which has a password.
		r.fail("see whether this machine reaches it, and compare user, password and rights with docs/reference.md (Sessions in Redis)",
			"what is written cannot be read again: %s", troubleOf(err))
		return
	}
	r.ok("can be written and read")
}

// checkStorage tries Caddy's storage. A folder that is not there yet is left to
// Caddy, whose user it has to belong to.
func (d *doctor) checkStorage(ctx context.Context, r *report) {
	storage, err := d.openStorage(ctx)
	if err != nil {
		r.fail("mend the storage of the configuration", "it cannot be opened: %s", troubleOf(err))
		return
	}
	root := storageName(storage)
	if files, isFiles := storage.(*certmagic.FileStorage); isFiles {
		root = files.Path
		if _, err := os.Stat(files.Path); errors.Is(err, os.ErrNotExist) {
			r.ok("%s is not there yet: Caddy makes it", root)
			return
		}
	}
	key := "panelauth-doctor-" + rand.Text()
	if storage.Exists(ctx, markerKey) {
		key = path.Join(storageRoot, "doctor-"+rand.Text())
	}
	if err := tryStorage(ctx, storage, key); err != nil {
		r.fail("see that Caddy's user may write there, that the disk is not full, and that the doctor runs as that user",
			"%s: what is written cannot be read again", root)
		return
	}
	r.ok("%s can be written and read", root)
}

func tryStorage(ctx context.Context, storage certmagic.Storage, key string) error {
	if err := storage.Store(ctx, key, trial); err != nil {
		return err
	}
	found, err := storage.Load(ctx, key)
	if err == nil && string(found) != string(trial) {
		err = errLostStorage
	}
	return errors.Join(err, storage.Delete(ctx, key))
}

// openStorage opens the configured storage as Caddy would.
func (d *doctor) openStorage(ctx context.Context) (certmagic.Storage, error) {
	if len(d.config.Storage) == 0 {
		return caddy.DefaultStorage, nil
	}
	var named struct {
		Module string `json:"module"`
	}
	if err := json.Unmarshal(d.config.Storage, &named); err != nil {
		return nil, err
	}
	var config map[string]json.RawMessage
	if err := json.Unmarshal(d.config.Storage, &config); err != nil {
		return nil, err
	}
	delete(config, "module")
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	caddyContext, cancel := caddy.NewContext(caddy.Context{Context: ctx})
	defer cancel()
	module, err := caddyContext.LoadModuleByID("caddy.storage."+named.Module, raw)
	if err != nil {
		return nil, err
	}
	converter, ok := module.(caddy.StorageConverter)
	if !ok {
		return nil, fmt.Errorf("%s is no storage", named.Module)
	}
	return converter.CertMagicStorage()
}
