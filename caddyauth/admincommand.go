// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"fmt"
	"io"
	"net/http"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// addAdminFlags adds what says where the admin API is.
func addAdminFlags(command *cobra.Command) {
	flags := command.PersistentFlags()
	flags.StringP("config", "c", "", "Configuration file to use to parse the admin address, if --address is not used")
	flags.StringP("adapter", "a", "", "Name of config adapter to apply (when --config is used)")
	flags.StringP("address", "", "", "The address to use to reach the admin API endpoint, if not the default")
}

// adminAPI asks the admin API of one Caddy.
type adminAPI func(method, uri string) (*http.Response, error)

// onAdminAPI makes a command of a function that asks the admin API.
func onAdminAPI(do func(api adminAPI, out, notes io.Writer, flags caddycmd.Flags) error) func(*cobra.Command, []string) error {
	return withFlags(func(cmd *cobra.Command, _ []string, flags caddycmd.Flags) error {
		address, err := caddycmd.DetermineAdminAPIAddress(flags.String("address"), nil, flags.String("config"), flags.String("adapter"))
		if err != nil {
			return fmt.Errorf("couldn't determine admin API address: %w", err)
		}
		api := func(method, uri string) (*http.Response, error) {
			return caddycmd.AdminAPIRequest(address, method, uri, nil, nil)
		}
		return do(api, cmd.OutOrStdout(), cmd.ErrOrStderr(), flags)
	})
}
