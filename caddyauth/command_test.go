// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"strings"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// run runs `caddy panelauth …` and returns what it prints.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	command := &cobra.Command{Use: "panelauth"}
	caddycmd.Commands()["panelauth"].CobraFunc(command)
	var out bytes.Buffer
	command.SetOut(&out)
	command.SetErr(&out)
	command.SetArgs(args)
	err := command.Execute()
	return out.String(), err
}

func TestCommands(t *testing.T) {
	secret, err := run(t, "secret")
	if err != nil || len(secret) < 33 || secret[len(secret)-1] != '\n' || checkSecret(secret[:len(secret)-1]) != nil {
		t.Errorf("secret prints %q, %v", secret, err)
	}
	if again, _ := run(t, "secret"); again == secret {
		t.Error("secret prints the same twice")
	}
	key, err := run(t, "oauth-secret")
	if err != nil || len(key) != 45 {
		t.Errorf("oauth-secret prints %q, %v", key, err)
	}
	if _, err := tornado.NewFernet(key[:len(key)-1]); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"secret", "x"}, {"oauth-secret", "x"}} {
		if _, err := run(t, args...); err == nil {
			t.Errorf("%v is no error", args)
		}
	}
}

// TestMistypedCommands: what is no command is an error that says which one is.
func TestMistypedCommands(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"sessions"}} {
		if out, err := run(t, args...); err != nil || !strings.Contains(out, "Available Commands") {
			t.Errorf("%v: %v, %q", args, err, out)
		}
	}
	for want, args := range map[string][]string{
		"did you mean panelauth doctor?":        {"docter"},
		"did you mean panelauth sessions list?": {"sessions", "lst"},
		"panelauth --help lists":                {"x"},
		"panelauth sessions --help lists":       {"sessions", "--address", "localhost:1", "everything"},
	} {
		if _, err := run(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got error %v", args, err)
		}
	}
}
