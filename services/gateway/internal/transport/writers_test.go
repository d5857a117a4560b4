package transport

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

func TestWhoWaitsLongestIsWrittenFirst(t *testing.T) {
	w := &writers{most: 1, running: 1} // here it is the test that writes
	all := make([]*webSocket, 3*turns/2)
	for i := range all {
		all[i] = &webSocket{}
		w.push(all[i])
	}
	var batch [turns]*webSocket
	for round := range 3 {
		if n := w.pop(&batch); n != turns {
			t.Fatalf("round %d: took %d", round, n)
		}
		for i, got := range batch {
			if want := all[(round*turns+i)%len(all)]; got != want {
				t.Fatalf("round %d: place %d is another's", round, i)
			}
			w.push(got) // there is more for it
		}
	}
	left := 0
	for n := w.pop(&batch); n > 0; n = w.pop(&batch) {
		left += n
	}
	if left != len(all) || w.waiting != 0 || w.running != 0 || w.first != nil || w.last != nil {
		t.Errorf("%d left of %d: %+v", left, len(all), w)
	}
}

// A connection whose writes cannot be kept from waiting, as with TLS, is written
// by a goroutine of its own.
func TestAConnectionThatCannotBeTriedIsWrittenAllTheSame(t *testing.T) {
	made := make(chan *webSocket, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		ctx := types.NewHttpContext(w, r)
		ctx.Websocket = &types.WebSocketConn{EventEmitter: types.NewEventEmitter(), Conn: conn}
		ws := newWebSocket(ctx, newLink(Limits{}.withDefaults(), newRegistry()), newWriters(), stageOpen)
		ws.raw = nil
		made <- ws
	}))
	defer server.Close()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/?EIO=4", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ws := <-made
	defer ws.abort()
	for i := range 100 {
		ws.link.Send(NewFrame(fmt.Append(nil, i)))
	}
	for i := range 100 {
		if _, text, err := conn.ReadMessage(); err != nil || string(text) != fmt.Sprintf("4%d", i) {
			t.Fatalf("message %d: %q, %v", i, text, err)
		}
	}
}
