// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/panelauth/caddy-panelauth/caddyauth/provider"
)

func (p *patient) providerChecks(d *doctor, s providerSettings) []check {
	where := p.where + ", " + s.config.ID
	checks := []check{{"provider", where, func(ctx context.Context, r *report) { p.checkProvider(ctx, r, d, s) }}}
	if s.config.Name != passwordProvider {
		checks = append(checks, check{"redirect URI", where, func(_ context.Context, r *report) { p.checkRedirectURI(r, s) }})
	}
	return checks
}

// checkProvider asks the provider for what a sign-in needs of it, and compares
// its clock with this machine's.
func (p *patient) checkProvider(ctx context.Context, r *report, d *doctor, s providerSettings) {
	clock := &clockReader{now: d.now}
	var heard warnings
	s.config.Logger = heard.logger()
	s.config.Timeout = d.patience
	s.config.WrapTransport = clock.wrap
	made, err := provider.New(s.config)
	if err != nil {
		r.fail("correct this in the configuration", "%v", err)
		return
	}
	for _, message := range heard.all() {
		r.warn("see docs/providers.md", "%s", message)
	}
	warned := len(r.findings)
	if err := made.Probe(ctx); err != nil {
		r.fail(adviceFor(err), "%v", err)
	}
	off, known := clock.off()
	switch {
	case !known:
	case off > provider.ClockSkew:
		r.fail("set this machine's clock, and keep it right with NTP", "this machine's clock differs from the provider's by %s, and a minute is allowed", off.Round(time.Second))
	case off > provider.ClockSkew/2:
		r.warn("set this machine's clock, and keep it right with NTP", "this machine's clock differs from the provider's by %s, and a minute is allowed", off.Round(time.Second))
	}
	if len(r.findings) == warned {
		r.ok("can be reached, and its clock agrees with this machine's")
	}
}

func adviceFor(err error) string {
	var known *provider.Error
	if errors.As(err, &known) && known.Kind == provider.KindMisbehaved {
		return "compare ISSUER, or the options that stand for it, with what the provider says: each character counts"
	}
	return "see whether this machine reaches the provider: name resolution, firewall, proxy, certificate authority"
}

// warnings collects what a provider warns of.
type warnings struct {
	mu       sync.Mutex
	messages []string
}

func (w *warnings) logger() *zap.Logger {
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(io.Discard), zapcore.WarnLevel)
	return zap.New(core, zap.Hooks(func(entry zapcore.Entry) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.messages = append(w.messages, entry.Message)
		return nil
	}))
}

func (w *warnings) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.messages)
}
