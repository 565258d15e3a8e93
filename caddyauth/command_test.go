// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

// run runs `caddy panelauth …` and returns what it prints.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	command := new(cobra.Command)
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
