package playback

import (
	"context"
	"log/slog"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
	"github.com/tidemark-chat/tidemark/streams/feed"
)

const (
	// near is how close to the end of the log it has to be before the feed takes over: reading a span is many times faster.
	near = 1000
	// inHand is how many events may wait to be written, which is why the feed need not wait for the reader.
	inHand = 2000
)

// CatchUp writes what the log holds, until little is left of it.
func (p *Playback) CatchUp(ctx context.Context) error {
	for {
		state, err := eventlog.Open(p.js).State(ctx)
		if err != nil {
			return err
		}
		if state.Last <= p.Last {
			return p.flush()
		}
		behind := state.Last - p.Last
		if err := p.Through(ctx, state.Last); err != nil || behind < near {
			return err
		}
	}
}

// Follow writes what comes after the last event, as soon as it is in the log and without any more waiting, until ctx ends
// (nil). It ends early with an OutputError, or with feed.ErrLost if the log is no longer the one it was.
func (p *Playback) Follow(ctx context.Context, log *slog.Logger) error {
	p.Speed = 0
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	records := make(chan feed.Record, inHand)
	var ended error
	go func() {
		defer close(records)
		ended = feed.NewOrdered(p.js, log).Run(running, p.Last, func(r feed.Record) {
			select {
			case records <- r:
			case <-running.Done():
			}
		})
	}()
	err := p.drain(ctx, records)
	cancel()
	for range records { // until the feed has ended
	}
	if err == nil && ctx.Err() == nil {
		err = ended
	}
	return err
}

// drain writes what comes, and out whenever nothing more is there, until nothing will come.
func (p *Playback) drain(ctx context.Context, records <-chan feed.Record) error {
	for r := range records {
		if err := p.apply(ctx, &r.Event, r.Damaged, r.Missing); err != nil {
			return err
		}
		if len(records) > 0 {
			continue
		}
		if err := p.flush(); err != nil {
			return err
		}
	}
	return p.flush()
}
