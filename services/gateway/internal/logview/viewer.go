package logview

import (
	"context"
	"sync"
	"time"
)

// line is one event, ready to be sent.
type line struct {
	offset uint64
	frame  frame
}

// viewer is one stream, and what waits to be written to it.
type viewer struct {
	ctx      context.Context // ends with the request, with the view, or when another one takes its place
	end      context.CancelFunc
	joined   time.Time
	held     uint64        // first offset in the tail when it joined
	position uint64        // of the tail then: what is above comes by push
	ready    chan struct{} // has one place: something waits

	mu       sync.Mutex
	lines    []line
	first    int // index of the oldest line: the queue is a ring once it is full
	skipped  uint64
	statuses [statuses]frame // the newest of each; nil: none that was not taken
}

func newViewer(ctx context.Context) *viewer {
	x := &viewer{joined: time.Now(), ready: make(chan struct{}, 1)}
	x.ctx, x.end = context.WithCancel(ctx)
	return x
}

// push adds an event. In a full queue it takes the place of the oldest, which is
// counted as skipped: who watches wants to see what is now.
func (x *viewer) push(l line) {
	if l.offset <= x.position {
		return
	}
	x.mu.Lock()
	if len(x.lines) < queueLength {
		x.lines = append(x.lines, l)
	} else {
		x.lines[x.first] = l
		x.first = (x.first + 1) % queueLength
		x.skipped++
	}
	x.mu.Unlock()
	x.wake()
}

// show replaces what is waiting of a status.
func (x *viewer) show(s status, f frame) {
	x.mu.Lock()
	x.statuses[s] = f
	x.mu.Unlock()
	x.wake()
}

func (x *viewer) wake() {
	select {
	case x.ready <- struct{}{}:
	default:
	}
}

// take takes what waits: first how many events were skipped, then the events
// behind them, then how things stand.
func (x *viewer) take() (frames []frame) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.skipped > 0 {
		frames = append(frames, skippedFrame(x.skipped))
	}
	for i := range x.lines {
		frames = append(frames, x.lines[(x.first+i)%len(x.lines)].frame)
	}
	for _, f := range x.statuses {
		if f != nil {
			frames = append(frames, f)
		}
	}
	x.lines, x.first, x.skipped, x.statuses = nil, 0, 0, [statuses]frame{}
	return frames
}
