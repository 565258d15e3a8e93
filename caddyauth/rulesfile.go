// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
)

// Bounds of what a file of rules may say.
const (
	maxRulesFile = 1 << 20
	maxRules     = 10_000
)

// ReadRules reads a file of rules. The package caddyfile, which knows how they
// are written, sets it.
var ReadRules func(file string, content []byte) ([]Rule, error)

var errNoLanguage = errors.New("this Caddy was built without the package caddyfile, which reads files of rules")

func readRules(file, content string) ([]Rule, error) {
	if ReadRules == nil {
		return nil, errNoLanguage
	}
	rules, err := ReadRules(file, []byte(content))
	if err != nil {
		return nil, err
	}
	return rules, checkRules(rules)
}

// rulebook is where a handler's rules are: in its configuration, or in a file
// that may change.
type rulebook struct {
	written *ruleSet
	file    *watchedFile[*ruleSet]
}

// openRules loads the rules of a handler; nil means that there are none.
func openRules(ctx caddy.Context, logger *zap.Logger, written *Authorize, file string) (*rulebook, error) {
	if written == nil {
		return nil, nil
	}
	if file == "" {
		set, err := newRuleSet(ctx, written.Rules)
		if err != nil {
			return nil, err
		}
		warnOfUnreachable(logger, written.Rules)
		return &rulebook{written: set}, nil
	}
	watched := &watchedFile[*ruleSet]{
		path:   file,
		limit:  maxRulesFile,
		logger: logger,
		parse: func(content string) (*ruleSet, error) {
			rules, err := readRules(file, content)
			if err != nil {
				return nil, err
			}
			set, err := lendRuleSet(ctx, rules)
			if err == nil {
				warnOfUnreachable(logger, rules)
			}
			return set, err
		},
		replaced: func(old *ruleSet) { old.giveBack() },
	}
	if err := watched.start(ctx); err != nil {
		return nil, err
	}
	return &rulebook{file: watched}, nil
}

// borrow returns the rules in force, to be given back, or nil when the handler
// is no more.
func (b *rulebook) borrow() *ruleSet {
	if b.written != nil {
		return b.written
	}
	for {
		set := b.file.get()
		if set.take() {
			return set
		}
		if b.file.get() == set {
			return nil
		}
	}
}

// current tells versions of the rules apart.
func (b *rulebook) current() *ruleSet {
	switch {
	case b == nil:
		return nil
	case b.written != nil:
		return b.written
	}
	return b.file.get()
}

func (b *rulebook) mayChange() bool { return b != nil && b.file != nil }

func (b *rulebook) close() {
	if b.mayChange() {
		b.file.close()
	}
}

// lease lets go of a file's matchers when the file says something else and
// nobody asks them any more. Rules of the configuration itself have none.
type lease struct {
	holders atomic.Int64
	release func()
}

// lendRuleSet is newRuleSet with matchers that live until the rules have been
// replaced, and been given back by everybody.
func lendRuleSet(ctx caddy.Context, written []Rule) (*ruleSet, error) {
	ctx, release := caddy.NewContext(ctx)
	set, err := newRuleSet(ctx, written)
	if err != nil {
		release()
		return nil, err
	}
	set.release = release
	set.holders.Store(1) // the file itself
	return set, nil
}

// take fails when the last one has given back.
func (l *lease) take() bool {
	for {
		n := l.holders.Load()
		if n == 0 {
			return false
		}
		if l.holders.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (l *lease) giveBack() {
	if l.release != nil && l.holders.Add(-1) == 0 {
		l.release()
	}
}
