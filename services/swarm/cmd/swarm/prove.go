package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/swarm/crowd"
	"github.com/tidemark-chat/tidemark/services/swarm/trial"
)

// mostProof is how long one proof may take.
const mostProof = time.Hour

func proveCommand() *cobra.Command {
	var f flags
	var broken faultFlags
	cmd := &cobra.Command{
		Use:   "prove",
		Short: "Prove that nothing acked is lost, doubled, reordered or leaked",
		Long: "Let clients of all profiles talk, then compare what they sent and were sent with the log (--nats.url) and with the\n" +
			"read model. Without --nats.url the log is put together from what the clients saw, which proves less.\n\n" +
			"With --faults, a deployment is started on this machine for the run (nats-server, or three of them, two gateways and\n" +
			"two persisters), and its processes, connections, disks and clocks are broken while the clients talk: the same seed\n" +
			"breaks the same things at the same times. The binaries come from go tool task prove:build.",
		Example: "  swarm prove --url http://127.0.0.1:3000 --nats.url nats://127.0.0.1:4222\n" +
			"  swarm prove --faults --seed 3 --for 60s\n  swarm prove --faults --cluster --kinds kill,leader --out report\n" +
			"  swarm prove --faults --cluster --database postgres --feed republish --secured",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if broken.faults && !cmd.Flags().Changed("mix") {
				f.mix = crowd.Everybody.String()
			}
			t, err := f.trial(cmd)
			if err != nil {
				return usage(err)
			}
			t.Judge = true
			if f.length > mostProof {
				return usage(fmt.Errorf("--for: %v, want up to %v, because the history is kept in memory; soak proves for longer", f.length, mostProof))
			}
			if !broken.faults {
				if _, err := broken.check(cmd); err != nil {
					return usage(err)
				}
				t.During = trial.Talk(f.length)
				return f.judged(cmd, t)
			}
			stop, err := broken.deploy(cmd, t)
			if err != nil {
				return usage(err)
			}
			defer stop()
			return f.run(cmd, t)
		},
	}
	mix := crowd.Everybody.Without("newcomer")
	f.add(cmd.Flags(), flags{clients: 40, mix: mix.String(), rate: 100, rooms: 6, transports: mostlySockets, length: 30 * time.Second})
	broken.add(cmd.Flags())
	return cmd
}

// judged carries out a trial that is judged by the log of a running deployment, if its address is given.
func (f *flags) judged(cmd *cobra.Command, t *trial.Trial) error {
	cfg, _, err := command.Load(cmd)
	if err != nil {
		return err
	}
	if cfg.NATS.URL != "" {
		source, err := trial.OpenNATS(string(cfg.NATS.URL), cfg.NATS.Credentials)
		if err != nil {
			return usage(fmt.Errorf("reach the log: %w", err))
		}
		defer source.Close()
		t.Log = source
	}
	return f.run(cmd, t)
}
