package transport_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// fuzzed is a server for a fuzz target: it fails if a panic has been recovered.
func fuzzed(f *testing.F) (s *server, panicked func() string) {
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	limits := transport.Limits{MaxFrame: 4096, InboundEvents: 64, InboundBytes: 64 << 10}
	o := options(limits)
	o.SetTransports(transport.Constructors(limits, log))
	s = serve(f, o)
	return s, logged.String
}

var fuzzSeeds = []string{
	"40", "40{}", "3", "1", "6", "2probe", "5", "", "4", "\x1e", "40\x1e42[\"x\"]", "40\x1e420[\"x\",{\"a\":[1,null]}]", "42[]", "42[1]", "42{", "43[]", "40/admin,", "41",
	"451-[\"x\",{\"_placeholder\":true,\"num\":0}]", "450-[\"x\"]", "bAAAA", "40\x1e41\x1e40", "4\xff", "42[\"\\ud800\"]",
}

// Whatever a POST holds, it is answered, and nothing is left of its connection when
// that is over.
func FuzzPolling(f *testing.F) {
	s, panicked := fuzzed(f)
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	request := func(method, query string, body []byte) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/socket.io/?EIO=4&transport=polling"+query, bytes.NewReader(body))
		w := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, r)
		return w
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		open := request(http.MethodGet, "", nil).Body.String()
		_, rest, _ := strings.Cut(open, `"sid":"`)
		sid, _, found := strings.Cut(rest, `"`)
		if !found {
			t.Fatalf("no handshake: %q", open)
		}
		w := request(http.MethodPost, "&sid="+sid, body)
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		default:
			t.Errorf("%q is answered %d", body, w.Code)
		}
		if conn, ok := s.io.Engine().Clients().Load(sid); ok {
			transport.LinkOf(conn).Close()
		}
		eventually(t, "the connection has gone", func() bool { return s.connections() == 0 })
		if text := panicked(); text != "" {
			t.Fatalf("%q: %s", body, text)
		}
	})
}

// Whatever comes over a WebSocket, in text or binary messages, its connection ends
// with it, and another is not disturbed.
func FuzzWebSocket(f *testing.F) {
	s, panicked := fuzzed(f)
	for i, seed := range fuzzSeeds {
		f.Add([]byte(seed), uint8(i%3/2))
	}
	f.Fuzz(func(t *testing.T, messages []byte, binary uint8) {
		conn, _, err := websocket.DefaultDialer.Dial("ws://"+s.addr+"/socket.io/?EIO=4&transport=websocket", nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range bytes.SplitN(messages, []byte{0x1e}, 16) {
			kind := websocket.TextMessage
			if binary&(1<<(i%8)) != 0 {
				kind = websocket.BinaryMessage
			}
			if conn.WriteMessage(kind, m) != nil {
				break // it was closed
			}
		}
		if conn.WriteMessage(websocket.TextMessage, []byte("1")) == nil { // a goodbye, which ends it
			_, _ = io.Copy(io.Discard, conn.NetConn())
		}
		_ = conn.Close()
		eventually(t, "the connection has gone", func() bool { return s.connections() == 0 })
		if text := panicked(); text != "" {
			t.Fatalf("%q: %s", messages, text)
		}
	})
}
