// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

// Command reference writes the entries of docs/reference.md: one for each
// subdirective, from the syntax above the parser, the doc comments of the
// fields it fills, and an example that Caddy adapts to JSON. What stands in
// that file outside of the marks "entries" and "contents" is written by hand.
// Run it in the module's folder, by "go generate".
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Where things are, from the module's folder.
const (
	page     = "docs/reference.md"
	parser   = "caddyfile/caddyfile.go"
	handlers = "caddyauth"
	examples = "internal/reference/examples"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	// Examples name files that lie beside them.
	if err := os.Chdir(examples); err != nil {
		return err
	}
	text, err := generate(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, page), text, 0o644) // #nosec G306 -- a document for everybody
}

// generate makes the page anew from the one that is there. The working folder
// is that of the examples.
func generate(root string) ([]byte, error) {
	written, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		return nil, err
	}
	subdirectives, err := readSyntax(filepath.Join(root, parser))
	if err != nil {
		return nil, err
	}
	options, err := readOptions(filepath.Join(root, handlers), "Handler")
	if err != nil {
		return nil, err
	}
	entries, err := makeEntries(subdirectives, options)
	if err != nil {
		return nil, err
	}
	return fill(written, entries)
}

// makeEntries brings together what is known of each subdirective, and says
// everything that is missing.
func makeEntries(subdirectives []subdirective, options []option) (map[string]string, error) {
	var missing []error
	entries := make(map[string]string)
	for _, s := range subdirectives {
		o := find(options, s.name)
		if o == nil {
			missing = append(missing, fmt.Errorf("%s: no field has this key", s.name))
			continue
		}
		shown, err := readExample(s.name)
		missing = append(missing, err, o.complete())
		entries[s.name] = entry(s, o, shown)
	}
	for _, o := range options {
		if entries[o.key] == "" {
			missing = append(missing, fmt.Errorf("%s: is not in the syntax", o.key))
		}
	}
	return entries, errors.Join(missing...)
}
