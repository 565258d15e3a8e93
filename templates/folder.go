// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/nikolalohinski/gonja/v2/loaders"
)

const (
	// maxSource bounds a template file.
	maxSource = 256 << 10
	// maxInheritance bounds how deep templates extend and include each other.
	maxInheritance = 8
)

// folder gives the library its files: the template itself, which has been read
// already, and what lies beside or below it. Nothing outside is reachable, by
// ".." or by symbolic links.
type folder struct {
	dir   string
	name  string
	text  string
	depth int
}

var _ loaders.Loader = folder{}

// Read gives a file's source, checked and made fit for the library.
func (f folder) Read(name string) (io.Reader, error) {
	if f.depth == 0 && name == f.name {
		return strings.NewReader(f.text), nil
	}
	file := filepath.ToSlash(filepath.Clean(name))
	source, err := f.open(name)
	if err != nil {
		return nil, &fault{file: file, line: 1, what: err.Error()}
	}
	text, wrong := fitted(source)
	if wrong != nil {
		wrong.file = file
		return nil, wrong
	}
	return strings.NewReader(text), nil
}

func (f folder) open(name string) ([]byte, error) {
	if f.depth >= maxInheritance {
		return nil, errors.New("too many templates that extend or include each other")
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, errors.New("cannot open the folder of the template")
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("there is no such file in the folder of the template")
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, errors.New("cannot open this file")
	}
	defer file.Close()
	source, err := io.ReadAll(io.LimitReader(file, maxSource+1))
	if err != nil {
		return nil, errors.New("cannot read this file")
	}
	return source, nil
}

// Resolve leaves names as they are: all are relative to the one folder.
func (f folder) Resolve(name string) (string, error) { return name, nil }

// Inherit is for a file that another one extends or includes.
func (f folder) Inherit(string) (loaders.Loader, error) {
	f.depth++
	return f, nil
}
