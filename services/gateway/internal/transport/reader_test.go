package transport

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/zishang520/socket.io/parsers/engine/v3/packet"
	"github.com/zishang520/socket.io/servers/engine/v3/transports"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

// panicking is a library with a mistake in it.
type panicking struct{ transports.Transport }

func (panicking) OnPacket(*packet.Packet) { panic("a mistake") }

func TestAPanicOnTheReaderEndsItsConnectionOnly(t *testing.T) {
	var logged bytes.Buffer // written before the transport tells of its end
	failed, closed := make(chan error, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		ctx := types.NewHttpContext(w, r)
		ctx.Websocket = &types.WebSocketConn{EventEmitter: types.NewEventEmitter(), Conn: conn}
		transport := newWebSocket(ctx, newLink(Limits{}.withDefaults(), newRegistry()), newWriters(), &panics{logger: slog.New(slog.NewTextHandler(&logged, nil))}, stageOpen)
		transport.Transport = panicking{transport.Transport}
		_ = transport.On("error", func(args ...any) { failed <- args[0].(error) })
		_ = transport.On("close", func(...any) { close(closed) })
		transport.begin()
	}))
	defer server.Close()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/?EIO=4", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte("41")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.ReadMessage(); err == nil {
		t.Error("the connection is still open")
	}
	<-closed
	if err := <-failed; err == nil {
		t.Error("no error")
	}
	if line := logged.String(); !strings.Contains(line, "panic: ") || !strings.Contains(line, "a mistake") || !strings.Contains(line, "panicking.OnPacket") {
		t.Errorf("logged %q", line)
	}
}
