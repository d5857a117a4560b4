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

func stormCommand() *cobra.Command {
	var f flags
	var missed, rounds int
	var over time.Duration
	cmd := &cobra.Command{
		Use:   "storm",
		Short: "Let everybody lose their connection, miss messages and come back at once",
		Long: "Connect, cut all connections, publish messages meanwhile, let everybody come back, and judge whether each was sent\n" +
			"exactly what it missed. The recovery latency is from the dial until the client is told that it has everything.",
		Example: "  swarm storm --clients 1000 --missed 100\n  swarm storm --clients 10000 --missed 20 --spread 30s --ramp 10s --rounds 3",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := f.trial(cmd)
			if err != nil {
				return usage(err)
			}
			if missed < 1 || missed > 100_000 || rounds < 1 || rounds > 1000 {
				return usage(fmt.Errorf("--missed %d, --rounds %d: want 1 to 100000 and 1 to 1000", missed, rounds))
			}
			t.Judge, t.Crowd.Publisher, t.Crowd.Rate = true, true, 0
			t.Length = 0 // it takes as long as it takes
			t.During = trial.Storm(rounds, missed, over)
			return f.judged(cmd, t)
		},
	}
	f.add(cmd.Flags(), flags{clients: 1000, mix: "guest=1", transports: webSocketOnly, length: time.Hour})
	for _, name := range []string{"rate", "for", "rooms"} {
		_ = cmd.Flags().MarkHidden(name) // nobody talks, and it ends by itself
	}
	cmd.Flags().IntVar(&missed, "missed", 100, "messages that are published while everybody is away")
	cmd.Flags().IntVar(&rounds, "rounds", 1, "how often")
	cmd.Flags().DurationVar(&over, "spread", 0, "time over which they come back; 0: all at once")
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
