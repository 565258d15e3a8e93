// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// checkFiles looks at who may read secrets, and who may change what lets people
// in.
func (p *patient) checkFiles(r *report, config string) {
	if runtime.GOOS == "windows" {
		r.ok("not looked at on Windows")
		return
	}
	s := p.settings
	files := []string{s.rulesFile, config}
	if s.credentialsFile != nil {
		files = append(files, s.credentialsFile.path)
		warnOfReaders(r, s.credentialsFile.path, "everybody on this machine can read the passwords or hashes in it")
	}
	if config != "" && p.hasSecretsIn(config) {
		warnOfReaders(r, config, "everybody on this machine can read the secrets in it")
	}
	for _, file := range s.templates {
		files = append(files, file)
	}
	slices.Sort(files)
	for _, file := range slices.Compact(files) {
		if mode, known := modeOf(file); known && mode&0o002 != 0 {
			r.fail("chmod o-w "+file, "everybody on this machine can change %s", file)
		}
	}
	if len(r.findings) == 0 {
		r.ok("nobody else can change them, or read secrets in them")
	}
}

func warnOfReaders(r *report, file, what string) {
	if mode, known := modeOf(file); known && mode&0o004 != 0 {
		r.warn("chmod o-r "+file+", and see to it that Caddy's user can read it", "%s: %s", file, what)
	}
}

func modeOf(file string) (os.FileMode, bool) {
	if file == "" {
		return 0, false
	}
	if info, err := os.Stat(filepath.Clean(file)); err == nil {
		return info.Mode().Perm(), true
	}
	return 0, false
}

// hasSecretsIn reports whether secrets stand in the configuration file itself.
func (p *patient) hasSecretsIn(config string) bool {
	h := p.handler
	written := append([]string{h.OAuthSecret, h.OAuthEncryptionKey}, h.CookieSecret...)
	for _, provider := range h.OAuthProvider {
		written = append(written, provider.Secret)
	}
	if h.BasicAuth != nil && !isCredentialsFile(h.BasicAuth.Source) {
		written = append(written, h.BasicAuth.Source)
		for _, password := range h.BasicAuth.Accounts {
			written = append(written, password)
		}
	}
	text, err := readBounded(config, maxCredentialsFile)
	if err != nil {
		return false
	}
	repl := caddy.NewReplacer()
	return slices.ContainsFunc(written, func(value string) bool {
		return value != "" && value == repl.ReplaceKnown(value, "") && strings.Contains(text, value)
	})
}
