// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"context"
)

func (p *patient) checkPasswords(_ context.Context, r *report) {
	accounts := p.accounts()
	if accounts == nil {
		r.ok("there are none")
		return
	}
	const hash = "write what caddy hash-password prints in its place"
	short, known, plain := 0, 0, 0
	judge := func(a account) {
		if a.Password == "" || a.kind != nil {
			return
		}
		plain++
		switch {
		case looksWellKnown(a.Password):
			known++
		case len(a.Password) < 8:
			short++
		}
	}
	for _, r := range accounts.all {
		a := r.account()
		judge(a)
	}
	if a := accounts.anyUser; a != nil {
		judge(*a)
	}
	if known > 0 {
		r.fail("choose others", "%s known to everybody, from documentation or lists of common ones", countOf(known, "password is", "passwords are"))
	}
	if short > 0 {
		r.fail("choose longer ones", "%s shorter than 8 characters", countOf(short, "password is", "passwords are"))
	}
	inFile := p.settings.credentialsFile != nil
	if plain > 0 && (inFile || accounts.anyUser == nil) {
		r.warn(hash, "%s not hashed: whoever reads the file can sign in", countOf(plain, "password is", "passwords are"))
	}
	if len(r.findings) == 0 {
		r.ok("%s", countOf(accounts.count(), "account", "accounts"))
	}
}

// accounts are those of the file or of the block, or nil.
func (p *patient) accounts() *accounts {
	if file := p.settings.credentialsFile; file != nil {
		return file.get()
	}
	if len(p.settings.inline) == 0 {
		return nil
	}
	found, err := newAccounts(p.settings.inline)
	if err != nil {
		return nil
	}
	return found
}
