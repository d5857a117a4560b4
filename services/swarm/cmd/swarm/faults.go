package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
	"github.com/tidemark-chat/tidemark/services/swarm/faults"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/services/swarm/report"
	"github.com/tidemark-chat/tidemark/services/swarm/trial"
)

// mostFailover is how long the read model may stand still when the persister that projects it has died.
const mostFailover = 15 * time.Second

// faultFlags say what is deployed for a run, and how it is hurt.
type faultFlags struct {
	faults, cluster bool
	database, feed  string
	secured         bool
	kinds           string
	bin, gateway    string
	dir             string
}

func (f *faultFlags) add(to *pflag.FlagSet) {
	names := make([]string, 0, len(faults.Kinds()))
	for _, k := range faults.Kinds() {
		names = append(names, string(k))
	}
	to.BoolVar(&f.faults, "faults", false, "start a deployment on this machine and break it (--url is not used then)")
	to.BoolVar(&f.cluster, "cluster", false, "with --faults: three nats-servers instead of one")
	to.StringVar(&f.database, "database", string(config.SQLite), "with --faults: where the read model is: sqlite or postgres")
	to.StringVar(&f.feed, "feed", string(config.Ordered), "with --faults: how events come to the gateways: ordered or republish")
	to.BoolVar(&f.secured, "secured", false, "with --faults: each service is a user of nats-server with the least rights, and provisions nothing")
	to.StringVar(&f.kinds, "kinds", strings.Join(names, ","), "with --faults: what is done to it; none: nothing")
	to.StringVar(&f.bin, "bin", "", "with --faults: directory of the binaries (default: that of the swarm's own)")
	to.StringVar(&f.gateway, "gateway-binary", "", "with --faults: another gateway to put to the proof")
	to.StringVar(&f.dir, "dir", "", "with --faults: an empty directory for stores and logs, which is kept (default: a temporary one)")
}

// deploy starts a deployment for a trial, which is then broken during the trial. stop stops the deployment.
func (f *faultFlags) deploy(cmd *cobra.Command, t *trial.Trial) (stop func(), err error) {
	var undo []func()
	undoAll := func() {
		for _, u := range slices.Backward(undo) {
			u()
		}
	}
	defer func() {
		if err != nil {
			undoAll()
		}
	}()
	kinds, err := f.check(cmd)
	if err != nil {
		return nil, err
	}
	options, remove, err := f.options()
	if err != nil {
		return nil, err
	}
	undo = append(undo, remove)
	fmt.Fprintln(cmd.ErrOrStderr(), "starting a deployment in", options.Dir)
	d, err := deployment.Start(cmd.Context(), options)
	if err != nil {
		return nil, err
	}
	undo = append(undo, d.Stop)
	t.Crowd.Gateways, t.Deployment = d.Gateways(), d.String()
	t.Complaints = func() []string {
		d.Stop() // in order, which can go wrong, too
		return d.Complaints()
	}
	if t.Log, err = trial.OpenNATS(d.NATS(), ""); err != nil {
		return nil, err
	}
	undo = append(undo, t.Log.Close)
	f.plan(t, d, kinds, cmd.Flags().Changed("kinds"))
	return undoAll, nil
}

// check finds flags that do not fit together.
func (f *faultFlags) check(cmd *cobra.Command) (kinds []faults.Kind, err error) {
	for _, name := range []string{"cluster", "database", "feed", "secured", "kinds", "bin", "gateway-binary", "dir"} {
		if !f.faults && cmd.Flags().Changed(name) {
			return nil, fmt.Errorf("--%s needs --faults", name)
		}
	}
	if f.faults && cmd.Flags().Changed("url") {
		return nil, errors.New("--url and --faults do not fit together: with --faults a deployment is started here")
	}
	if f.database != string(config.SQLite) && f.database != string(config.Postgres) {
		return nil, fmt.Errorf("--database: %q, want sqlite or postgres", f.database)
	}
	if f.feed != string(config.Ordered) && f.feed != string(config.Republish) {
		return nil, fmt.Errorf("--feed: %q, want ordered or republish", f.feed)
	}
	if f.kinds == "none" {
		return nil, nil
	}
	if kinds, err = faults.ParseKinds(f.kinds); err != nil {
		return nil, fmt.Errorf("--kinds: %w", err)
	}
	return kinds, nil
}

// options says where things are.
func (f *faultFlags) options() (o deployment.Options, remove func(), err error) {
	o = deployment.Options{Bin: f.bin, Dir: f.dir, Cluster: f.cluster, Gateway: f.gateway,
		Postgres: f.database == string(config.Postgres), Republish: f.feed == string(config.Republish), Secured: f.secured}
	if o.Bin == "" {
		own, err := os.Executable()
		if err != nil {
			return o, nil, err
		}
		o.Bin = filepath.Dir(own)
	}
	if o.Dir != "" {
		if entries, err := os.ReadDir(o.Dir); err == nil && len(entries) > 0 {
			return o, nil, fmt.Errorf("--dir: %s is not empty", o.Dir)
		}
		return o, func() {}, nil
	}
	if o.Dir, err = os.MkdirTemp("", "swarm-"); err != nil {
		return o, nil, err
	}
	return o, func() { _ = os.RemoveAll(o.Dir) }, nil
}

// plan plans what happens during the trial. What was asked for by name must be possible.
func (f *faultFlags) plan(t *trial.Trial, d *deployment.Deployment, kinds []faults.Kind, named bool) {
	targets, absent := faults.Aim(d)
	steps := faults.Plan(t.Crowd.Seed, t.Length, targets, kinds)
	t.During = func(ctx context.Context, r *trial.Running) error {
		for _, a := range absent {
			switch {
			case !slices.Contains(kinds, a.Kind):
			case named:
				r.Flaw(a.String())
			default:
				r.LeaveOut(a.String())
			}
		}
		var talking sync.WaitGroup
		defer talking.Wait()
		talking.Go(func() { _ = trial.Talk(t.Length)(ctx, r) }) // it has no errors
		carriedOut := 0
		var hurts []string // under way; faults.Run tells of one event at a time
		err := faults.Run(ctx, steps, d, func(e faults.Event) {
			switch e.Phase {
			case "begin":
				carriedOut++
				hurts = append(hurts, e.Step)
			case "end":
				hurts = slices.DeleteFunc(hurts, func(step string) bool { return strings.HasPrefix(e.Step, step) })
			}
			if e.Took > 0 {
				tookOver(r, e.Took)
			}
			r.Fault(report.Fault{Phase: phase(e.Phase), Kind: string(e.Kind), Target: e.Target, Text: e.Step})
			r.Say(slices.Clone(hurts)...)
		})
		if len(kinds) > 0 && 2*carriedOut <= len(steps) {
			r.Flaw(fmt.Sprintf("of %d faults that were planned only %d were carried out", len(steps), carriedOut))
		}
		return err
	}
}

// tookOver notes how long a failover of the persisters took, and holds it against what is promised.
func tookOver(r *trial.Running, took time.Duration) {
	text := fmt.Sprintf("After the persister that projects was killed, the other one went on within %v.", took.Round(10*time.Millisecond))
	r.Note(text)
	if took <= mostFailover {
		text = ""
	}
	r.Check(oracle.TakeOver, text)
}

// phase is a phase of a fault as a report calls it.
func phase(of string) string {
	switch of {
	case "begin":
		return report.Begins
	case "end":
		return report.Ends
	}
	return of
}
