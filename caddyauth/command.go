// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/panelauth/caddy-panelauth/caddyauth/tornado"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "panelauth",
		Short: "Sets panelauth up and looks it over, shows and ends its sessions, and makes its secrets and API keys",
		Long: `
Turns a panel serve command line into a Caddyfile, says what is wrong with a
configuration, shows whether everything is in order, shows who is signed in and
ends sessions, and makes the secrets that the panelauth directive and the Panel
application behind it share, as panel secret and panel oauth-secret do.`,
		CobraFunc: func(cmd *cobra.Command) {
			addCommands(cmd,
				printCommand("secret", "Prints a new secret for cookie_secret", tornado.NewSecret),
				printCommand("oauth-secret", "Prints a new key for oauth_encryption_key", tornado.NewFernetKey),
				apiKeyCommand(),
				sessionsCommand(),
				statusCommand(),
				importCommand(),
				doctorCommand(),
			)
		},
	})
}

// addCommands adds commands to one that does nothing by itself but to show its
// help. What is none of them is an error, which cobra leaves to others.
func addCommands(to *cobra.Command, commands ...*cobra.Command) {
	to.AddCommand(commands...)
	to.SuggestionsMinimumDistance = 2
	to.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	to.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
			return fmt.Errorf("unknown command %q: did you mean %s %s?", args[0], cmd.CommandPath(), meant[0])
		}
		return fmt.Errorf("unknown command %q: %s --help lists those that there are", args[0], cmd.CommandPath())
	}
}

// withFlags makes a command of a function that takes its flags as Caddy's own
// commands do, and whose error is the command's.
func withFlags(do func(cmd *cobra.Command, args []string, flags caddycmd.Flags) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
			if err := do(cmd, args, flags); err != nil {
				return caddy.ExitCodeFailedStartup, err
			}
			return caddy.ExitCodeSuccess, nil
		})(cmd, args)
	}
}

func printCommand(use, short string, value func() string) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), value())
			return err
		},
	}
}

// printable replaces what a terminal would obey, since people choose their own
// names.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

func localTime(t time.Time) string { return t.Local().Format(time.DateTime) }
