// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"path"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// markerKey tells a storage without a session from one that is not there, such
// as a folder whose file system was unmounted.
var markerKey = path.Join(storageRoot, "marker")

// mark makes sure that a storage has the marker.
func mark(ctx context.Context, storage certmagic.Storage) error {
	if storage.Exists(ctx, markerKey) {
		return nil
	}
	return storage.Store(ctx, markerKey, []byte("Sessions are kept beside this file. Without it they count as out of reach.\n"))
}

// markStorage readies the storage that sessions are kept in. One that is away
// keeps no site from being served: until it is back nobody can sign in.
func (h *Handler) markStorage(ctx context.Context) {
	if h.settings.stateless || h.settings.redis != nil {
		return
	}
	err := h.tryToMark(ctx)
	if err == nil {
		return
	}
	h.logger.Error("the storage that sessions are kept in cannot be written to; nobody can sign in until it can", zap.Error(err))
	go func() {
		for err != nil && ctx.Err() == nil {
			time.Sleep(markInterval)
			err = h.tryToMark(ctx)
		}
	}()
}

// markInterval is how often a storage that was away is tried again.
const markInterval = 2 * time.Second

func (h *Handler) tryToMark(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	return mark(ctx, h.storage)
}
