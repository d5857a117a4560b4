// Package playback writes the events of a log that are meant, in the log's order: those that it holds, at any speed, and those
// that come.
package playback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidemark-chat/tidemark/services/auditor/record"
	"github.com/tidemark-chat/tidemark/services/auditor/render"
	"github.com/tidemark-chat/tidemark/services/auditor/selection"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// Options say what is written and how.
type Options struct {
	Selection *selection.Selection
	Match     func(*event.Event) bool // Selection's
	Out       render.Writer
	Remarks   io.Writer           // gets a line for each hole in the log, up to maxTold
	Reached   func(offset uint64) // is told how far it is; cheap, called for each event
	Speed     float64             // how many times as fast as it happened; 0: as fast as possible
	MaxGap    time.Duration       // no wait between two events is longer; 0: no bound
}

// Playback is one reading of the log. It is used by one goroutine, which decodes, matches and writes: that takes it less time than
// the connection, which has a goroutine of its own, needs to receive (30 % of the processor and 40), so that more goroutines would
// not make it faster.
type Playback struct {
	Options
	Tally
	js   jetstream.JetStream
	pace pace
	told int // holes

	// The event in hand, here so that not each has to be allocated.
	event  event.Event
	record record.Record
}

// Tally is what a reading has found.
type Tally struct {
	Last    uint64 // everything up to this offset is dealt with
	Read    uint64 // events, damaged ones too
	Written uint64
	Damaged uint64 // written too: what they say of themselves cannot be relied on, so they are never left out
	Missing uint64 // offsets at which the log holds nothing
}

// Whole reports whether there was no damaged event and no hole.
func (t *Tally) Whole() bool { return t.Damaged == 0 && t.Missing == 0 }

// OutputError says that what was read could not be written.
type OutputError struct{ error }

func (e *OutputError) Unwrap() error { return e.error }

// New is a reading that begins behind an offset.
func New(js jetstream.JetStream, after uint64, o Options) *Playback {
	return &Playback{
		Options: o, Tally: Tally{Last: after}, js: js,
		pace: pace{speed: o.Speed, maxGap: o.MaxGap},
	}
}

// Through writes what the log holds up to an offset, which must not be beyond its end. It ends early with ctx's error, an
// OutputError, or a Temporary one if the log cannot be read. In each case all that was dealt with (Last) is written out,
// unless the error is an OutputError.
func (p *Playback) Through(ctx context.Context, through uint64) error {
	if through <= p.Last {
		return p.flush()
	}
	missing, err := replay.Log(ctx, p.js, p.Last, through, func(r replay.Record) error {
		var damaged error
		p.event, damaged = r.Event()
		return p.apply(ctx, &p.event, damaged, r.Missing)
	})
	if err == nil {
		p.hole(through-missing+1, through)
		p.Last = through
	}
	if flushed := p.flush(); flushed != nil && !errors.As(err, new(*OutputError)) {
		return flushed
	}
	return err
}

// apply deals with one event, and with the hole before it.
func (p *Playback) apply(ctx context.Context, e *event.Event, damaged error, missing uint64) error {
	if damaged == nil && p.Match(e) || damaged != nil && p.Selection.Within(e.Offset, e.At) {
		if err := p.wait(ctx, e.At); err != nil {
			return err
		}
		if err := p.write(e, damaged); err != nil {
			return err
		}
	}
	p.hole(e.Offset-missing, e.Offset-1)
	p.Read++
	p.Last = e.Offset
	p.Reached(e.Offset)
	return nil
}

// wait returns when an event of a time is due.
func (p *Playback) wait(ctx context.Context, at time.Time) error {
	if p.Speed == 0 {
		return nil
	}
	now := time.Now()
	due := p.pace.next(at, now)
	if !due.After(now) {
		return ctx.Err()
	}
	if err := p.flush(); err != nil {
		return err
	}
	return sleep(ctx, due)
}

func (p *Playback) write(e *event.Event, damaged error) error {
	p.record = record.Of(e)
	if damaged != nil {
		p.Damaged++
		p.record.Damaged = reason(damaged)
	}
	p.Written++
	if err := p.Out.Write(&p.record); err != nil {
		return &OutputError{err}
	}
	return nil
}

// reason is why an event is damaged, without what was being done.
func reason(err error) string {
	var inner *fault.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return err.Error()
}

// maxTold is how many holes are told. More are only counted.
const maxTold = 1000

// hole counts offsets at which there is nothing, both included, as far as they are meant, and tells of them.
func (p *Playback) hole(from, to uint64) {
	from, to = p.Selection.Clip(from, to)
	if from > to {
		return
	}
	p.Missing += to - from + 1
	p.told++
	switch {
	case p.told > maxTold+1:
	case p.told > maxTold:
		fmt.Fprintln(p.Remarks, "there are more holes: from here on they are only counted")
	case from == to:
		fmt.Fprintf(p.Remarks, "nothing at offset %d\n", from)
	default:
		fmt.Fprintf(p.Remarks, "nothing at offsets %d to %d\n", from, to)
	}
}

func (p *Playback) flush() error {
	if err := p.Out.Flush(); err != nil {
		return &OutputError{err}
	}
	return nil
}
