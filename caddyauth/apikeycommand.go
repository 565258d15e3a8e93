// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func apiKeyCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "api-key <user> [--name <name>]",
		Short: "Makes an API key for a user of the credentials file",
		Long: `
Makes an API key for a user of the credentials file, by which programs are let
in as that user. The first line is the key, which is shown this once and kept
nowhere. The second is for the user's entry in the credentials file, which must
be an object: {"password": "…", "api_keys": {"…": "…"}}. To revoke the key, take
that line out again.`,
		Args: cobra.ExactArgs(1),
	}
	name := command.Flags().String("name", "default", "What the key is called in the file, to tell it from others of the user")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkUserName(args[0]); err != nil {
			return err
		}
		if args[0] == anyUser {
			return fmt.Errorf("an API key belongs to one user, not to %q", anyUser)
		}
		if err := checkKeyName(*name); err != nil {
			return err
		}
		key, hash := newAPIKey()
		line, err := json.Marshal(map[string]string{*name: hash})
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "The key, which is shown only now, and what to put into the entry of %s in the credentials file:\n", args[0])
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n\"api_keys\": %s\n", key, line)
		return err
	}
	return command
}
