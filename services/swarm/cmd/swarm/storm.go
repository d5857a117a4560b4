package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
	"github.com/tidemark-chat/tidemark/services/swarm/trial"
)

func stormCommand() *cobra.Command {
	var f flags
	var missed, rounds int
	var over time.Duration
	var kill bool
	var bin string
	cmd := &cobra.Command{
		Use:   "storm",
		Short: "Let everybody lose their connection, miss messages and come back at once",
		Long: "Connect, cut all connections, publish messages meanwhile, let everybody come back, and judge whether each was sent\n" +
			"exactly what it missed. The recovery latency is from the dial until the client is told that it has everything.",
		Example: "  swarm storm --clients 1000 --missed 100\n  swarm storm --clients 10000 --missed 20 --spread 30s --ramp 10s --rounds 3\n" +
			"  swarm storm --kill --clients 10000 --missed 20 --spread 30s --ramp 20s",
		Args: cobra.NoArgs,
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
			outage := trial.Outage{}
			if kill {
				d, undo, err := stormDeployment(cmd, bin)
				if err != nil {
					return usage(err)
				}
				defer undo()
				if err := beforeKill(d, t); err != nil {
					return usage(err)
				}
				defer t.Log.Close()
				outage = killed(d.Process("gateway-1"))
			}
			t.During = trial.Storm(rounds, missed, over, outage)
			if kill {
				return f.run(cmd, t)
			}
			return f.judged(cmd, t)
		},
	}
	f.add(cmd.Flags(), flags{clients: 1000, mix: "guest=1", transports: webSocketOnly, length: time.Hour})
	for _, name := range []string{"rate", "for", "rooms"} {
		_ = cmd.Flags().MarkHidden(name) // nobody talks, and it ends by itself
	}
	cmd.Flags().BoolVar(&kill, "kill", false, "start a deployment on this machine, and kill -9 the gateway at which everybody is; messages come by another one")
	cmd.Flags().StringVar(&bin, "bin", "", "with --kill: directory of the binaries (default: that of the swarm's own)")
	cmd.Flags().IntVar(&missed, "missed", 100, "messages that are published while everybody is away")
	cmd.Flags().IntVar(&rounds, "rounds", 1, "how often")
	cmd.Flags().DurationVar(&over, "spread", 0, "time over which they come back; 0: all at once")
	return cmd
}

// stormDeployment starts one without links, each of which would take two more files of the swarm's for every client.
func stormDeployment(cmd *cobra.Command, bin string) (d *deployment.Deployment, undo func(), err error) {
	if bin == "" {
		own, err := os.Executable()
		if err != nil {
			return nil, nil, err
		}
		bin = filepath.Dir(own)
	}
	dir, err := os.MkdirTemp("", "swarm-")
	if err != nil {
		return nil, nil, err
	}
	d, err = deployment.Start(cmd.Context(), deployment.Options{
		Bin: bin, Dir: dir, Standing: true, Host: fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254)),
		GatewayEnv: []string{"TIDEMARK_GATEWAY_RATE_LIMIT=off"},
	})
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, nil, err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "started a deployment of", d, "with gateways at", d.Gateways())
	return d, func() { d.Stop(); _ = os.RemoveAll(dir) }, nil
}

// beforeKill has everybody at the first gateway, and the publisher at the other one.
func beforeKill(d *deployment.Deployment, t *trial.Trial) (err error) {
	t.Crowd.Gateways, t.Crowd.Aside, t.Deployment = d.Gateways()[:1], d.Gateways()[1], d.String()
	t.Log, err = trial.OpenNATS(d.NATS(), "")
	return err
}

// killed is a gateway's kill -9, and its start.
func killed(gateway *deployment.Process) trial.Outage {
	return trial.Outage{
		Text:  "kill -9 of " + gateway.Name,
		Begin: gateway.Kill,
		End: func(ctx context.Context) error {
			if err := gateway.Start(); err != nil {
				return err
			}
			return gateway.WaitReady(ctx)
		},
	}
}
