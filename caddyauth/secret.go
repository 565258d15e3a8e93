// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// generatedSecretKey is where the secret lives that is used when none is
// configured.
var generatedSecretKey = path.Join(storageRoot, "cookie_secret")

// storageTimeout bounds the wait for storage when the configuration is loaded.
const storageTimeout = 10 * time.Second

// generatedSecret returns the secret that this storage's instances share,
// making it when the first of them asks.
func generatedSecret(ctx context.Context, storage certmagic.Storage) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	secret, err := storedSecret(ctx, storage)
	if secret != nil || err != nil {
		return secret, err
	}
	if err := storage.Lock(ctx, generatedSecretKey); err != nil {
		return nil, fmt.Errorf("locking the storage: %w", err)
	}
	// Also when the time is up, for other instances wait for the lock.
	defer func() { _ = storage.Unlock(context.WithoutCancel(ctx), generatedSecretKey) }()
	if secret, err = storedSecret(ctx, storage); secret != nil || err != nil {
		return secret, err // another instance was faster
	}
	secret = []byte(tornado.NewSecret())
	if err := storage.Store(ctx, generatedSecretKey, secret); err != nil {
		return nil, fmt.Errorf("storing the generated secret: %w", err)
	}
	return secret, nil
}

func storedSecret(ctx context.Context, storage certmagic.Storage) ([]byte, error) {
	secret, err := storage.Load(ctx, generatedSecretKey)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("loading the generated secret: %w", err)
	case len(secret) < minSecret:
		return nil, fmt.Errorf("the generated secret in the storage at %s is damaged: delete it to have a new one made", generatedSecretKey)
	}
	return secret, nil
}
