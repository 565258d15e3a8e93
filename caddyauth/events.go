// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"go.uber.org/zap"
)

const eventPrefix = "panelauth."

// emitter is the events app of a configuration, and the context that says whose
// events they are. Without an app it emits nothing.
type emitter struct {
	app *caddyevents.App
	ctx caddy.Context
}

func newEmitter(ctx caddy.Context) (emitter, error) {
	app, err := ctx.App("events")
	if err != nil {
		return emitter{}, fmt.Errorf("getting the events app: %w", err)
	}
	return emitter{app.(*caddyevents.App), ctx}, nil
}

// emit tells those who have subscribed to an event, and waits for them. They
// are told of what has been decided: none can change it, and one that panics
// harms nobody.
func (h *Handler) emit(what happening) {
	name := eventPrefix + what.event
	if h.emitter.app == nil || !h.emitter.app.ShouldEmit(name) {
		return
	}
	defer func() {
		if problem := recover(); problem != nil {
			h.logger.Error("event handler panicked", zap.String("event", name), zap.Any("panic", problem))
		}
	}()
	h.emitter.app.Emit(h.emitter.ctx, name, what.data())
}

// data always has the same keys, so that placeholders always find something.
func (h happening) data() map[string]any {
	return map[string]any{
		"user_id":    h.user,
		"client_ip":  h.clientIP,
		"provider":   h.provider,
		"session_id": h.sessionID,
		"reason":     h.reason,
		"path":       h.path,
	}
}

// speaker is the handler by which something is told: the preferred one, as long
// as its configuration lasts, else one whose configuration is in force. Another
// one's logs and subscriptions are closed, or not open yet. It is nil when the
// last handler has left.
func (d *door) speaker(preferred *Handler) *Handler {
	if preferred != nil && preferred.lasts.Err() == nil {
		return preferred
	}
	inForce, _ := caddy.ActiveContext().AppIfConfigured("events")
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range d.handlers {
		if any(h.emitter.app) == inForce {
			return h
		}
	}
	if len(d.handlers) > 0 {
		return d.handlers[0] // the oldest, so that it has started
	}
	return preferred
}
