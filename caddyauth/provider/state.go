// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import "time"

// State is what is known of a provider's documents.
type State struct {
	// Ready is whether people can sign in without waiting for a document. A
	// provider that has none always is.
	Ready bool
	// When the documents at hand were fetched: the zero time, if there are none.
	Discovered, Keys time.Time
	// Err is how the last fetch failed, nil if it did not.
	Err error
}

// State returns what is known now, without asking anybody.
func (p *Provider) State() State {
	if p.metadata == nil {
		return State{Ready: true}
	}
	discovered, err := p.metadata.state()
	keys, keysErr := p.keys.state()
	if err == nil {
		err = keysErr
	}
	return State{
		Ready:      !discovered.IsZero() && !keys.IsZero(),
		Discovered: discovered,
		Keys:       keys,
		Err:        err,
	}
}

// state is when the document was fetched, and how the last fetch failed.
func (r *remote[T]) state() (got time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got, r.err
}
