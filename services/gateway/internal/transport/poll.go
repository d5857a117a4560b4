package transport

import (
	"net/http"

	"github.com/zishang520/socket.io/v3/pkg/types"
)

// answer is what a poll takes with it: a payload, and how much of the link's
// bytes that was.
type answer struct {
	payload []byte
	taken   int
}

// serve holds a poll until there is something to answer it with.
func (t *polling) serve(ctx *types.HttpContext) {
	woken, ok := t.enter()
	if !ok {
		t.OnError("overlap from client", nil)
		t.respond(ctx, http.StatusBadRequest, nil)
		return
	}
	for {
		if a, ok := t.answer(); ok {
			t.send(ctx, a)
			return
		}
		select {
		case <-woken:
		case <-ctx.Context().Done():
			t.leave()
			t.OnError("poll connection closed prematurely", nil)
			ctx.Flush()
			return
		}
	}
}

func (t *polling) enter() (woken <-chan struct{}, ok bool) {
	t.link.mu.Lock()
	defer t.link.mu.Unlock()
	if t.poll != nil {
		return nil, false
	}
	t.poll = make(chan struct{}, 1)
	t.noop = false
	return t.poll, true
}

func (t *polling) leave() {
	t.link.mu.Lock()
	defer t.link.mu.Unlock()
	t.poll = nil
}

// answer is false as long as there is nothing to answer the poll with. With its
// answer the poll no longer waits: as soon as the client has got that, the next
// one may come, on another connection.
func (t *polling) answer() (a answer, ok bool) {
	t.link.mu.Lock()
	defer t.link.mu.Unlock()
	switch frames := t.take(); {
	case frames != nil:
		a = answer{appendPayload(nil, frames), len(frames)}
		putBuffer(frames)
	case t.ended != 0:
		a.payload = []byte{t.ended}
	case t.noop:
		a.payload = []byte{engineNoop}
	default:
		return a, false
	}
	t.poll = nil
	return a, true
}

// take is nil once the transport has ended: what is left is another's to carry.
func (t *polling) take() []byte {
	if t.ended != 0 {
		return nil
	}
	return t.link.take(t, pollAnswer)
}

func (t *polling) send(ctx *types.HttpContext, a answer) {
	err := t.respond(ctx, http.StatusOK, a.payload)
	t.link.wrote(a.taken)
	if err != nil {
		t.link.failed(err)
		t.OnError("polling write error", err)
		return
	}
	if goodbye := t.allSent(); goodbye != nil {
		goodbye()
	}
}

// allSent returns what to call if the last packet has left.
func (t *polling) allSent() func() {
	t.link.mu.Lock()
	defer t.link.mu.Unlock()
	if !t.link.finishing || t.link.queued() > 0 {
		return nil
	}
	return t.goodbye
}
