package logview

import (
	"context"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
)

const (
	// readTimeout is how long may be read from the log for a viewer that begins.
	readTimeout = 2 * time.Second
	// maxReads is how many events may be read from it, the newest.
	maxReads = 50
)

// span says what a viewer is sent first, which joined when a tail held the offsets
// from first to position: all from an offset up to the position, and how many after
// the one it had last it is not sent. A tail that holds nothing has its first
// behind its position. after is nil if it had none.
func span(first, position uint64, after *uint64) (from, skipped uint64) {
	from = min(first, position+1)
	if after == nil || *after > position { // of another log, or of a gateway whose feed is further
		return max(from, floor(position, newest)+1), 0
	}
	from = max(from, *after+1, floor(position, queueLength)+1)
	return from, from - *after - 1
}

// floor is a-b, or 0.
func floor(a, b uint64) uint64 { return a - min(a, b) }

// backlog sends the offsets from one to the viewer's position.
func (v *View) backlog(x *viewer, from uint64, send func(frame) error) error {
	ctx, cancel := context.WithTimeout(x.ctx, readTimeout)
	defer cancel()
	events, readable := v.kept(from, x.position)
	for i, e := range events {
		offset := from + uint64(i)
		var s shown
		switch {
		case e != nil:
			s = show(e, false)
		case offset >= readable:
			s = v.read(ctx, offset)
		default:
			s = v.unread(offset)
		}
		if err := send(s.frame()); err != nil {
			return err
		}
	}
	return nil
}

// kept is what the tail holds of some offsets, nil where that is no more than that
// there was something, and the offset from which on those may be read from the log.
func (v *View) kept(from, through uint64) (events []*event.Event, readable uint64) {
	events = make([]*event.Event, through+1-from)
	reads := 0
	readable = from
	for offset := through; offset >= from; offset-- {
		e, ok := v.options.Tail.Get(offset)
		if ok {
			events[offset-from] = e
			continue
		}
		if reads++; reads > maxReads && readable == from {
			readable = offset + 1
		}
	}
	return events, readable
}

// read is what there is to show of an offset out of the log.
func (v *View) read(ctx context.Context, offset uint64) shown {
	select {
	case v.reading <- struct{}{}:
		defer func() { <-v.reading }()
	case <-ctx.Done():
		return v.unread(offset)
	}
	e, err := v.options.Log.Get(ctx, offset)
	if err != nil && !fault.Is(err, fault.Corrupt) {
		return v.unread(offset)
	}
	return show(&e, err != nil)
}

func (v *View) unread(offset uint64) shown {
	at, _ := v.options.Tail.NextAt(offset - 1)
	return shown{Offset: offset, At: at, Unread: true}
}
