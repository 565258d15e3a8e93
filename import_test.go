// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package panelauth

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/panelauth/caddy-panelauth/caddyauth/panelserve"
	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// TestImportedCaddyfiles adapts and provisions what is printed for command
// lines of `panel serve`.
func TestImportedCaddyfiles(t *testing.T) {
	files, err := filepath.Glob("caddyauth/panelserve/testdata/*.Caddyfile")
	if err != nil || len(files) < 10 {
		t.Fatalf("finding Caddyfiles: %v, %d found", err, len(files))
	}
	texts := make(map[string]string)
	for _, file := range files {
		texts[filepath.Base(file)] = read(t, file)
	}
	users := read(t, "example/credentials/users.json")
	pages := map[string]string{"login.html": "", "logout.html": "", "failed.html": ""}
	for name := range pages {
		pages[name] = "<p>{{ errormessage }}</p>"
	}
	pages["users.json"], pages["users"], pages["accounts"] = users, users, users
	inFolderWith(t, pages)
	if err := os.Mkdir("my pages", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("my pages/refused.html", []byte("<p>{{ error_msg }}</p>"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, []byte(text))
			t.Setenv("PANEL_OAUTH_ENCRYPTION", tornado.NewFernetKey())
			t.Setenv("PORT", "5006")
			text = strings.Replace(text, "/etc/users.json", "./users.json", 1)
			text = strings.Replace(text, "tls cert.pem key.pem", "tls internal", 1)
			config, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), nil)
			if err != nil || len(warnings) > 0 {
				t.Fatalf("adapting: %v %v\n%s", err, warnings, text)
			}
			provisions(t, config)
		})
	}
}

// provisions checks a configuration as `caddy validate` does.
func provisions(t *testing.T, config []byte) {
	t.Helper()
	var c caddy.Config
	if err := json.Unmarshal(config, &c); err != nil {
		t.Fatal(err)
	}
	c.StorageRaw = fmt.Appendf(nil, `{"module": "file_system", "root": %q}`, t.TempDir())
	if err := caddy.Validate(&c); err != nil {
		t.Errorf("provisioning: %v\n%s", err, config)
	}
}

// TestTablesOfFlags hold the documentation to the table that the command goes
// by.
func TestTablesOfFlags(t *testing.T) {
	for document, table := range map[string]string{
		"docs/how-to/migrating-from-panel-serve.md": panelserve.Table(),
		"README.md": panelserve.ShortTable(),
	} {
		if !strings.Contains(read(t, document), "\n"+table+"\n") {
			t.Errorf("%s does not have this table:\n\n%s", document, table)
		}
	}
}
