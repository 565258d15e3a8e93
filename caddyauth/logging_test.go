// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
)

// TestLastingLogger writes to the logs of the configuration in force, and to
// those alone that want it.
func TestLastingLogger(t *testing.T) {
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	folder := t.TempDir()
	logger := lastingLogger("http.handlers.panelauth.session").With(zap.String("made", "before"))
	for _, name := range []string{"first", "second"} {
		loadLogs(t, map[string]map[string]any{
			name + ".wanted":  {"include": []string{"http.handlers.panelauth"}},
			name + ".audit":   {"include": []string{"http.handlers.panelauth.audit"}},
			name + ".default": {"exclude": []string{"http.handlers.panelauth"}},
		}, folder)
		logger.Error(name)
		content, err := os.ReadFile(filepath.Join(folder, name+".wanted"))
		if err != nil || strings.Count(string(content), "\n") != 1 || !strings.Contains(string(content), `"msg":"`+name+`","made":"before"`) {
			t.Errorf("%s: logged is %q, %v", name, content, err)
		}
		for _, other := range []string{".audit", ".default"} {
			if content, _ := os.ReadFile(filepath.Join(folder, name+other)); strings.Contains(string(content), `"made"`) {
				t.Errorf("%s%s has %q", name, other, content)
			}
		}
	}
}

// loadLogs makes Caddy write logs to files of their names.
func loadLogs(t *testing.T, logs map[string]map[string]any, folder string) {
	t.Helper()
	for name, log := range logs {
		log["writer"] = map[string]any{"output": "file", "filename": filepath.Join(folder, name)}
		log["encoder"] = map[string]any{"format": "json"}
	}
	logs["default"] = map[string]any{"writer": map[string]any{"output": "discard"}}
	config, err := json.Marshal(map[string]any{
		"admin":   map[string]any{"disabled": true, "config": map[string]any{"persist": false}},
		"logging": map[string]any{"logs": logs},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := caddy.Load(config, true); err != nil {
		t.Fatal(err)
	}
}
