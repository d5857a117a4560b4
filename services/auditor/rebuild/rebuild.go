// Package rebuild makes a read model anew from the log, beside the one in use, and compares the two. What it writes is what a
// persister writes, row for row, because both use the same projection and the same store.
//
//	log ──▶ replay ──▶ projection ──▶ the new database ──┐
//	                                                     ├──▶ differences
//	                   the one in use, read only ────────┘
package rebuild

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/auditor/progress"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/stores"
)

// Options say what to make. Only Progress may be nil, and Live.
type Options struct {
	JS       jetstream.JetStream
	Into     string           // the new database: path of a SQLite file, or URL of a PostgreSQL database
	Continue bool             // go on with what an interrupted rebuild has left there
	Live     readmodel.Reader // to compare with; nil: not compared
	Progress func(title string, total uint64) *progress.Bar
}

// into is the new database without its password.
func (o *Options) into() string { return config.URL(o.Into).String() }

// Run rebuilds and compares. With an error, nothing is known of the live read model; what was written to the new one stays, and
// a further run with Continue goes on with it.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Progress == nil {
		o.Progress = func(string, uint64) *progress.Bar { return nil }
	}
	// The live position first, so that it is not ahead of a log that grows.
	var live readmodel.Position
	if o.Live != nil {
		var err error
		if live, err = o.Live.Position(ctx); err != nil {
			return nil, fmt.Errorf("live read model %s: %w", o.Live.Name(), err)
		}
	}
	state, err := eventlog.Open(o.JS).State(ctx)
	if err != nil {
		return nil, err
	}
	if live.Offset > 0 && live.Epoch != state.Epoch {
		return nil, fmt.Errorf("the live read model %s is of epoch %s, the log of epoch %s: it was made from another log, and is not compared",
			o.Live.Name(), live.Epoch, state.Epoch)
	}
	from, err := o.begin(ctx, state)
	if err != nil {
		return nil, err
	}
	report := &Report{Into: o.into(), Epoch: state.Epoch, Last: state.Last, After: from.Offset, Findings: []Finding{}}
	if err := o.fill(ctx, from, state, report); err != nil {
		return nil, err
	}
	if o.Live != nil {
		if err := o.compare(ctx, live, report); err != nil {
			return nil, fmt.Errorf("%s is rebuilt, but was not compared, which --continue does again: %w", o.into(), err)
		}
	}
	return report, nil
}

// fill projects the log into the new database, from a position to the end.
func (o *Options) fill(ctx context.Context, from readmodel.Position, state eventlog.State, report *Report) (err error) {
	store, err := stores.Open(ctx, o.Into)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }() // which also leaves one file alone
	bar := o.Progress("rebuild", state.Last)
	defer bar.Stop()
	f := &filler{store: store, position: from, epoch: state.Epoch, report: report, bar: bar}
	if err := f.run(ctx, o.JS, state.Last); err != nil {
		return fmt.Errorf("stopped at offset %d of %d, go on with --continue: %w", f.position.Offset, state.Last, err)
	}
	return nil
}
