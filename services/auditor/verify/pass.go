package verify

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/readmodel/projection"
	"github.com/tidemark-chat/tidemark/streams/replay"
)

// item is one record of the log, decoded once for all checks.
type item struct {
	replay.Record
	event     event.Event // what could be read, if it is damaged
	damage    error       // it does not decode, or is not what was sealed
	misplaced error       // it is intact, but not what it may be
}

func decode(r replay.Record) item {
	it := item{Record: r}
	if it.event, it.damage = r.Event(); it.damage == nil {
		it.misplaced = projection.InPlace(&it.event)
	}
	return it
}

// check is what is walked beside the log. Its methods are called by one goroutine. An error ends the check and nothing else.
type check interface {
	// take is given each event of the span, by ascending offset, and hole each range of offsets that hold nothing.
	take(*item) error
	hole(from, through uint64) error
	end() error // the span has been read
	close()     // comes last, on every way out
}

// silent is a check that does nothing, to be embedded.
type silent struct{}

func (silent) take(*item) error          { return nil }
func (silent) hole(uint64, uint64) error { return nil }
func (silent) end() error                { return nil }
func (silent) close()                    {}

const (
	// atOnce is how many items a lane is given at once, and inFlight how many such portions wait for each lane.
	atOnce   = 256
	inFlight = 4
)

// portion is some items in a row, and a hole behind them: the last one of a span.
type portion struct {
	items         []item
	from, through uint64 // the hole, if from is not 0
}

// lane is a goroutine of checks, beside others: the database need not wait for the hashes.
type lane struct {
	part   Part
	after  uint64 // what is at or below concerns others only
	checks []check
	failed []error // of each check

	portions chan portion
}

func newLane(part Part, after uint64, checks ...check) *lane {
	return &lane{part: part, after: after, checks: checks, failed: make([]error, len(checks)), portions: make(chan portion, inFlight)}
}

// run takes portions until there are no more.
func (l *lane) run() {
	for p := range l.portions {
		for i, c := range l.checks {
			if l.failed[i] == nil {
				l.failed[i] = l.walk(c, p)
			}
		}
	}
}

func (l *lane) walk(c check, p portion) error {
	for i := range p.items {
		it := &p.items[i]
		if it.Offset <= l.after {
			continue
		}
		if err := l.hole(c, it.Offset-it.Missing, it.Offset-1); err != nil {
			return err
		}
		if err := c.take(it); err != nil {
			return err
		}
	}
	return l.hole(c, p.from, p.through)
}

// hole gives a check what of a hole concerns it. There is none if it ends before it begins.
func (l *lane) hole(c check, from, through uint64) error {
	if from = max(from, l.after+1); from > through {
		return nil
	}
	return c.hole(from, through)
}

// end ends the checks of a span that was read whole.
func (l *lane) end() {
	for i, c := range l.checks {
		if l.failed[i] == nil {
			l.failed[i] = c.end()
		}
	}
}

func (l *lane) err() error { return errors.Join(l.failed...) }

// source reads a span of the log, as replay.Log does.
type source func(ctx context.Context, after, through uint64, apply func(replay.Record) error) (missing uint64, err error)

// pass reads a span once and gives it to all lanes. It returns when they are done. seen is called with each item, before the
// lanes have it. ended says that lanes have seen all of it.
func pass(ctx context.Context, read source, after, through uint64, lanes []*lane, seen func(*item)) error {
	var running sync.WaitGroup
	for _, l := range lanes {
		running.Go(l.run)
	}
	err := feed(ctx, read, after, through, lanes, seen)
	for _, l := range lanes {
		close(l.portions)
	}
	running.Wait()
	if err != nil {
		return err
	}
	for _, l := range lanes {
		running.Go(l.end)
	}
	running.Wait()
	return ctx.Err()
}

// feed reads and gives out.
func feed(ctx context.Context, read source, after, through uint64, lanes []*lane, seen func(*item)) error {
	items := make([]item, 0, atOnce)
	give := func(p portion) error {
		items = make([]item, 0, atOnce) // first: what a lane has is not given again, also after an error
		for _, l := range lanes {
			select {
			case l.portions <- p:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	reached := after
	missing, err := read(ctx, after, through, func(r replay.Record) error {
		items = append(items, decode(r))
		reached = r.Offset
		seen(&items[len(items)-1])
		if len(items) < atOnce {
			return nil
		}
		return give(portion{items: items})
	})
	if err != nil {
		return errors.Join(err, give(portion{items: items})) // what has been read is judged
	}
	if through-reached != missing { // an end cut short must not pass for a hole
		return fmt.Errorf("the log was read through offset %d, and %d offsets are said to be missing up to %d", reached, missing, through)
	}
	last := portion{items: items}
	if missing > 0 {
		last.from, last.through = through-missing+1, through
	}
	return give(last)
}
