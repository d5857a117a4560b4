package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/streams/permissions"
)

const permissionsHeader = `# Tidemark's users of nats-server with the least rights, as "streams permissions" prints them. Do not edit; print them anew
# after an update. To be included from nats-server's own file:  include "users.conf"
# The passwords are nats-server's environment variables. Services then run with nats.provision=false.
`

func permissionsCommand() *cobra.Command {
	var format string
	var notary bool
	cmd := &cobra.Command{
		Use:   "permissions",
		Short: "Print nats-server's configuration of users with the least rights",
		Long: "Prints one user for each role: gateway, persister, auditor, provisioner (of this command) and operator (revokes users and\n" +
			"sessions). gateway.logView and gateway.feed must be here what they are for the gateways: their rights depend on it.",
		Example: "  streams permissions > users.conf\n  streams permissions --gateway.feed republish --notary=false --format json",
		Args: func(cmd *cobra.Command, args []string) error {
			return errors.Join(oneOf(format, "conf", "json"), cobra.NoArgs(cmd, args))
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := command.Load(cmd)
			if err != nil {
				return err
			}
			all := permissions.All(permissions.Options{
				LogView: cfg.Gateway.LogView, Republish: cfg.Gateway.Feed == config.Republish, Notary: notary,
			})
			if format == "json" {
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetEscapeHTML(false)
				out.SetIndent("", "  ")
				return out.Encode(all)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), permissionsHeader, permissions.Config(all))
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", "conf", "`form` of the output: conf or json")
	cmd.Flags().BoolVar(&notary, "notary", true, "whether persisters have a notary (notary.key)")
	return cmd
}
