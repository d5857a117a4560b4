package transport

import (
	"context"
	"sync"

	"github.com/zishang520/socket.io/v3/pkg/types"
)

// beginning is what is to be done at the end of the connection that a request may
// begin. Used on the request's goroutine only; nil for a request without.
type beginning struct{ end func() }

type beginningKey struct{}

// WithEnd is the context of a request to which [Attach]'s handler shall call end:
// once, when the connection that the request has begun is over for the engine, or
// when the request has been served without having begun one. It must not block.
func WithEnd(ctx context.Context, end func()) context.Context {
	return context.WithValue(ctx, beginningKey{}, &beginning{sync.OnceFunc(end)})
}

func beginningOf(ctx context.Context) *beginning {
	b, _ := ctx.Value(beginningKey{}).(*beginning)
	return b
}

// take gives the end to the connection that has begun.
func (b *beginning) take() (end func()) {
	if b == nil || b.end == nil {
		return func() {}
	}
	end, b.end = b.end, nil
	return end
}

// takeEnd takes it from the request that a connection was made of.
func takeEnd(ctx *types.HttpContext) (end func()) {
	v := visitOf(ctx)
	if v == nil {
		return func() {}
	}
	began := v.began
	v.began = nil
	return began.take()
}
