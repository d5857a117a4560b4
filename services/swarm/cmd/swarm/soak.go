package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/swarm/crowd"
	"github.com/tidemark-chat/tidemark/services/swarm/report"
	"github.com/tidemark-chat/tidemark/services/swarm/trial"
)

func soakCommand() *cobra.Command {
	var f flags
	var round time.Duration
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Prove round after round for hours, and show what grows",
		Long: "Like prove, again and again: each round has clients and a seed of its own and is judged at its end, so that the swarm's\n" +
			"memory does not grow with the time. Prints one line a round; --out keeps the reports of the newest round and of all\n" +
			"rounds with findings.",
		Example: "  swarm soak --for 8h --round 10m --nats.url nats://127.0.0.1:4222 --out soak\n  swarm soak --for 1h --format json | jq .deliveryP99Ms",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if round <= 0 {
				return usage(fmt.Errorf("--round: %v, want more than 0", round))
			}
			return f.soak(cmd, round)
		},
	}
	mix := crowd.Everybody.Without("newcomer")
	f.add(cmd.Flags(), flags{clients: 100, mix: mix.String(), rate: 50, rooms: 10, transports: mostlySockets, length: time.Hour})
	cmd.Flags().DurationVar(&round, "round", 5*time.Minute, "length of a round")
	return cmd
}

// soak is one round after another, until the time is over or a round cannot be done.
func (f *flags) soak(cmd *cobra.Command, length time.Duration) error {
	if _, err := f.trial(cmd); err != nil {
		return usage(err)
	}
	cfg, _, err := command.Load(cmd)
	if err != nil {
		return err
	}
	var source *trial.NATS
	if cfg.NATS.URL != "" {
		source, err = trial.OpenNATS(string(cfg.NATS.URL), cfg.NATS.Credentials)
		if err != nil {
			return usage(fmt.Errorf("reach the log: %w", err))
		}
		defer source.Close()
	}
	var found error
	judged := 0
	for number, end := 1, time.Now().Add(f.length); time.Now().Before(end) && cmd.Context().Err() == nil; number++ {
		t, err := f.trial(cmd)
		if err != nil {
			return usage(err)
		}
		t.Judge, t.Log = true, source
		t.Crowd.Seed += uint64(number)
		t.Length = min(length, time.Until(end))
		t.During = trial.Talk(t.Length)
		result, err := t.Run(cmd.Context())
		if result != nil {
			err = errors.Join(err, f.line(cmd.OutOrStdout(), number, result), f.keep(number, result))
			if result.Verdict == report.Found || result.Verdict == report.Clean {
				judged++
			}
			if result.Verdict == report.Found {
				found = &command.Exit{Code: foundSomething, Err: errFindings}
			}
		}
		if err != nil && cmd.Context().Err() == nil { // the last round of a soak that is stopped may be short
			return cmp.Or(found, usage(err))
		}
	}
	if judged == 0 {
		return usage(errors.New("no round was judged"))
	}
	return found
}

// round is a line of a soak.
type round struct {
	Round         int                `json:"round"`
	Began         time.Time          `json:"began"`
	Verdict       report.Verdict     `json:"verdict"`
	Findings      int                `json:"findings"`
	Acked         int64              `json:"acked"`
	Received      int64              `json:"received"`
	AckP99Ms      float64            `json:"ackP99Ms"`
	DeliveryP99Ms float64            `json:"deliveryP99Ms"`
	Gauges        map[string]float64 `json:"gauges,omitempty"` // at the end of the round
}

func (f *flags) line(w io.Writer, number int, r *report.Report) error {
	l := round{
		Round: number, Began: r.Began, Verdict: r.Verdict, Findings: len(r.Findings), Acked: r.Totals.Acked, Received: r.Totals.Received,
		AckP99Ms: r.Latencies.Ack.P99Ms, DeliveryP99Ms: r.Latencies.Delivery.P99Ms,
	}
	if n := len(r.Series); n > 0 {
		l.Gauges = r.Series[n-1].Gauges
	}
	if f.format == "json" {
		return json.NewEncoder(w).Encode(l)
	}
	gauges := ""
	for _, name := range slices.Sorted(maps.Keys(l.Gauges)) {
		gauges += fmt.Sprintf("  %s: %.0f", name, l.Gauges[name])
	}
	_, err := fmt.Fprintf(w, "round %d  %s  acked %d  received %d  ack p99 %.1f ms  delivery p99 %.1f ms%s\n",
		l.Round, l.Verdict, l.Acked, l.Received, l.AckP99Ms, l.DeliveryP99Ms, gauges)
	return err
}

// keep saves the newest round, and each one with findings.
func (f *flags) keep(number int, r *report.Report) error {
	if f.out == "" {
		return nil
	}
	if r.Verdict == report.Found {
		if err := r.Save(filepath.Join(f.out, fmt.Sprintf("round-%d", number))); err != nil {
			return err
		}
	}
	return r.Save(f.out)
}
