package transport

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/zishang520/socket.io/v3/pkg/types"
)

// accept takes in the packets of a POST. It answers when the library has them,
// so that a client waits with its next ones while too many events are unfinished.
func (t *polling) accept(ctx *types.HttpContext) {
	if !t.posting.CompareAndSwap(false, true) {
		t.OnError("data request overlap from client", nil)
		t.respond(ctx, http.StatusBadRequest, nil)
		return
	}
	body, status, err := t.body(ctx)
	if err != nil {
		t.OnError("data request not readable", err)
	}
	if status == http.StatusOK {
		status = t.receive(body, ctx.Context().Done())
	}
	t.posting.Store(false) // the next may come as soon as this one is answered
	t.respond(ctx, status, []byte("ok"))
}

// body reads a POST's body. One that is too large is refused as a whole, whether
// it announced its length or not, and costs only itself: there is no error then.
func (t *polling) body(ctx *types.HttpContext) (body []byte, status int, err error) {
	r := ctx.Request()
	limit := int64(t.link.limits.MaxFrame)
	if r.ContentLength > limit {
		return nil, http.StatusRequestEntityTooLarge, nil
	}
	if ctx.Headers().Peek("Content-Type") == "application/octet-stream" {
		return nil, http.StatusBadRequest, errors.New("binary body")
	}
	// The deadline is an extra; it is missing where the connection offers none.
	control := http.NewResponseController(ctx.Response())
	_ = control.SetReadDeadline(time.Now().Add(t.link.limits.StallTimeout))
	body, err = io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, http.StatusBadRequest, err
	case int64(len(body)) > limit:
		return nil, http.StatusRequestEntityTooLarge, nil
	}
	// All was read. Otherwise the deadline stays, for the HTTP server reads what
	// is left of the body before it answers.
	_ = control.SetReadDeadline(time.Time{})
	return body, http.StatusOK, nil
}

// receive passes a payload's packets on: all of them, or none if one is refused.
func (t *polling) receive(body []byte, cancel <-chan struct{}) (status int) {
	packets := bytes.Split(body, []byte{packetSeparator})
	kinds := make([]kind, len(packets))
	for i, p := range packets {
		kinds[i] = classify(p, t.link.limits.AnyMessage)
		if _, ok := stageOpen.next(kinds[i]); !ok {
			return t.refuse(refusedPacket)
		}
	}
	for i, p := range packets {
		if kinds[i] == kindClose {
			t.OnClose()
			return http.StatusOK
		}
		if t.ReadyState() != "open" {
			return http.StatusBadRequest
		}
		if r := t.link.deliver(t, kinds[i], p, cancel); r != nil {
			return t.refuse(r)
		}
	}
	return http.StatusOK
}

// refuse closes the connection because of what the peer sent.
func (t *polling) refuse(r *refusal) (status int) {
	t.OnError(r.reason, nil)
	return http.StatusBadRequest
}
