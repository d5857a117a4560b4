package logview

import (
	"context"
	"time"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// readTimeout is how long may be read from the log for a viewer that begins.
const readTimeout = 2 * time.Second

// span says what a viewer is sent first out of a tail that holds the offsets from
// first to position: all from an offset up to the position, and how many after
// the one it had last it is not sent. after is nil if it had none.
func span(first, position uint64, after *uint64) (from, skipped uint64) {
	if after == nil || *after > position { // of another log, or of a gateway whose feed is further
		return max(first, floor(position, newest)+1), 0
	}
	from = max(first, *after+1, floor(position, queueLength)+1)
	return from, from - *after - 1
}

// floor is a-b, or 0.
func floor(a, b uint64) uint64 { return a - min(a, b) }

// backlog sends the offsets from one to the viewer's position.
func (v *View) backlog(x *viewer, from uint64, send func(frame) error) error {
	ctx, cancel := context.WithTimeout(x.ctx, readTimeout)
	defer cancel()
	for offset := from; offset <= x.position; offset++ {
		if err := send(v.at(ctx, offset).frame()); err != nil {
			return err
		}
	}
	return nil
}

// at is what there is to show of an offset: out of the tail or, where that holds
// no more than that there was something, out of the log.
func (v *View) at(ctx context.Context, offset uint64) shown {
	if e, ok := v.options.Tail.Get(offset); ok {
		return show(e, false)
	}
	at, _ := v.options.Tail.NextAt(offset - 1)
	select {
	case v.reading <- struct{}{}:
		defer func() { <-v.reading }()
	case <-ctx.Done():
		return shown{Offset: offset, At: at, Unread: true}
	}
	e, err := v.options.Log.Get(ctx, offset)
	if err != nil && !fault.Is(err, fault.Corrupt) {
		return shown{Offset: offset, At: at, Unread: true}
	}
	return show(&e, err != nil)
}
