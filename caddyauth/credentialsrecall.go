// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"
	"weak"
)

// openCredentials reads a credentials file. What was read before, by whichever
// handler, is not read again while the file is the same: a large one takes its
// time, and each load of a configuration asks for it more than once.
func openCredentials(path string, mayBeEmpty bool) (*watchedFile[*accounts], error) {
	f := &watchedFile[*accounts]{path: path, limit: maxCredentialsFile, parse: credentialsParser(mayBeEmpty)}
	this := credentialsKey{path, mayBeEmpty}
	if before, ok := recalled.get(this); ok {
		f.info, f.digest = before.info, before.digest
		f.loaded = time.Now()
		f.value.Store(&before.value)
	}
	f.read = func(r *reading[*accounts]) { recalled.put(this, *r) }
	_, err := f.readIfChanged()
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable):
		return nil, fmt.Errorf("reading the credentials file: %w", saidFrom(path, err))
	case err != nil:
		return nil, fmt.Errorf("reading the credentials file %s: %w", path, err)
	}
	return f, nil
}

// recalled are the credentials files of this process.
var recalled recall

// credentialsKey says which file was read, by which rules.
type credentialsKey struct {
	path       string
	mayBeEmpty bool
}

// recall knows what files said as long as somebody holds it, and a moment
// longer: a configuration is checked before it is loaded.
type recall struct {
	mu    sync.Mutex
	known map[credentialsKey]*recollection
}

type recollection struct {
	reading[*accounts] // its value is nil after a moment
	weakly             weak.Pointer[accounts]
}

// recallTime is how long passwords are kept that nobody holds.
const recallTime = 10 * time.Second

func (r *recall) get(this credentialsKey) (reading[*accounts], bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.known[this]
	if known == nil {
		return reading[*accounts]{}, false
	}
	found := known.reading
	found.value = known.weakly.Value()
	return found, found.value != nil
}

func (r *recall) put(this credentialsKey, read reading[*accounts]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = make(map[credentialsKey]*recollection)
	}
	latest := &recollection{read, weak.Make(read.value)}
	r.known[this] = latest
	time.AfterFunc(recallTime, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		latest.value = nil
	})
	for other, known := range r.known {
		if known.weakly.Value() == nil {
			delete(r.known, other)
		}
	}
}
