package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/services/swarm/crowd"
	"github.com/tidemark-chat/tidemark/services/swarm/trial"
)

const (
	webSocketOnly = "websocket"
	mostlySockets = "websocket=6,polling=2,upgrade=2"
)

func loadCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Load a deployment and measure it",
		Long: "Let many clients talk, and measure how long acks and deliveries take. Nothing is judged: see prove.\n" +
			"A gateway limits what one client may send (20 messages per second by default).",
		Example: "  swarm load --clients 500 --rate 100 --for 30s\n  swarm load --clients 2000 --mix guest=1 --rate 20 --format json > load.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := f.trial(cmd)
			if err != nil {
				return usage(err)
			}
			t.During = trial.Talk(f.length)
			return f.run(cmd, t)
		},
	}
	f.add(cmd.Flags(), flags{clients: 100, mix: "guest=1,user=1", rate: 20, rooms: 5, transports: webSocketOnly, length: 30 * time.Second})
	return cmd
}

func profilesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "profiles",
		Short:   "Print the kinds of clients",
		Example: "  swarm profiles",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, p := range crowd.Profiles {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%-12s %s\n", p.Name, p.Meaning); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
