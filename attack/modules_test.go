// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package attack

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"
)

func init() {
	caddy.RegisterModule(panicking{})
	caddy.RegisterModule(faulty{})
	httpcaddyfile.RegisterHandlerDirective("attack_panic", func(httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		return panicking{}, nil
	})
}

// panicking is a handler that does, if it is asked to.
type panicking struct{}

func (panicking) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.attack_panic", New: func() caddy.Module { return new(panicking) }}
}

func (panicking) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if r.Header.Get("X-Panic") != "" {
		panic("somebody asked for it")
	}
	return next.ServeHTTP(w, r)
}

// faulty is a storage in files that is not always what it should be.
type faulty struct {
	Root string `json:"root"`
}

// fault is what is wrong with every storage of that kind now.
var fault atomic.Value

func (faulty) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.storage.attack_faulty", New: func() caddy.Module { return new(faulty) }}
}

func (f faulty) CertMagicStorage() (certmagic.Storage, error) {
	return faultyStorage{&certmagic.FileStorage{Path: f.Root}}, nil
}

type faultyStorage struct{ certmagic.Storage }

var errFaulty = errors.New("the disk is on fire")

func (f faultyStorage) Load(ctx context.Context, key string) ([]byte, error) {
	what, _ := fault.Load().(string)
	if what == "" || strings.HasSuffix(key, "marker") {
		return f.Storage.Load(ctx, key)
	}
	switch what {
	case "nothing":
		return nil, nil
	case "rubbish":
		return []byte("rubbish"), nil
	}
	return nil, errFaulty
}

// storedIn puts what a site keeps into a faulty storage.
func storedIn(s *site, _ *profile) { s.storage = "attack_faulty" }
