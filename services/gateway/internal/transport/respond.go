package transport

import (
	"net/http"
	"strconv"
	"time"

	"github.com/zishang520/socket.io/v3/pkg/types"
)

// respond answers a request, on its goroutine. The body is written in parts, so
// that a slow client is told from a stalled one, and only if the status is OK.
func (t *polling) respond(ctx *types.HttpContext, status int, body []byte) error {
	defer ctx.Flush() // the engine waits for it
	if status != http.StatusOK {
		body = nil
	}
	t.setHeaders(ctx, body)
	w := ctx.Response()
	w.WriteHeader(status)
	control := http.NewResponseController(w)
	for len(body) > 0 {
		// The deadline is an extra; it is missing where the connection offers none.
		_ = control.SetWriteDeadline(time.Now().Add(t.link.limits.StallTimeout))
		n, err := w.Write(body[:min(len(body), writeChunk)])
		if err != nil {
			return err
		}
		body = body[n:]
	}
	err := control.Flush()
	_ = control.SetWriteDeadline(time.Time{}) // the connection goes on to other requests
	return err
}

func (t *polling) setHeaders(ctx *types.HttpContext, body []byte) {
	headers := types.NewParameterBag(map[string][]string{
		"Content-Type":   {"text/plain; charset=UTF-8"},
		"Content-Length": {strconv.Itoa(len(body))},
		"Cache-Control":  {"no-store"},
	})
	t.Emit("headers", headers, ctx) // the engine adds its cookie
	for _, bag := range []*types.ParameterBag{ctx.ResponseHeaders(), headers} {
		for name, values := range bag.All() {
			ctx.Response().Header()[http.CanonicalHeaderKey(name)] = values
		}
	}
}
