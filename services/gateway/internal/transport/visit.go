package transport

import (
	"context"
	"net/http"
	"net/url"

	"github.com/zishang520/socket.io/v3/pkg/types"
)

// visit is a request that may begin a connection, and its answer, as the library
// is given them. The library keeps both as long as a connection lives that began by
// polling, so when it has been served nothing is left in it: see forget and end.
//
// Used on the request's goroutine only.
type visit struct {
	http.ResponseWriter
	request   *http.Request // a copy, and nobody else's
	webSocket *webSocket    // made for it; nil if none was
	began     *beginning    // until the connection that it begins has taken it
}

// blank is what the library is given, and keeps, instead of the request that began
// a WebSocket. Many connections have the same one. It is used by one handshake at a
// time, which changes nothing of it but the WebSocket; connections read what else
// is in it, see forget.
func blank() *types.HttpContext {
	served, cancel := context.WithCancel(context.Background())
	cancel()
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{RawQuery: "EIO=4"}}
	return types.NewHttpContext(&visit{ResponseWriter: answered{}}, r.WithContext(served))
}

func newVisit(w http.ResponseWriter, r *http.Request, ctx context.Context) *visit {
	return &visit{ResponseWriter: w, request: r.WithContext(ctx), began: beginningOf(r.Context())}
}

// Unwrap is for [http.ResponseController].
func (v *visit) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// end lets go of the answer.
func (v *visit) end() { v.ResponseWriter = answered{} }

// visitOf is nil if a request was not served by [handshakes].
func visitOf(ctx *types.HttpContext) *visit {
	v, _ := ctx.Response().(*visit)
	return v
}

// forget empties the request of a connection that is open now and began by polling.
// It is called before another goroutine can see the connection.
//
// What the library shows of it from then on (Socket.Handshake, but for its Auth,
// and Socket.Request) is empty. This service looks at none of it.
func forget(ctx *types.HttpContext) {
	if v := visitOf(ctx); v != nil {
		ctx.Headers().Replace(nil)
		ctx.Query().Replace(nil)
		*v.request = http.Request{URL: nowhere}
	}
}

var nowhere = &url.URL{}

// answered is the answer to a request that has been answered.
type answered struct{}

func (answered) Header() http.Header         { return http.Header{} }
func (answered) WriteHeader(int)             {}
func (answered) Write(b []byte) (int, error) { return 0, http.ErrHandlerTimeout }
