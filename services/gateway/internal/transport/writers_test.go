package transport

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

func TestWhoWaitsLongestIsWrittenFirst(t *testing.T) {
	w := &writers{most: 1, running: 1} // here it is the test that writes
	late := time.Now().Add(-time.Hour)
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
			got.written = late // it has rested
			w.push(got)        // there is more for it
		}
	}
	left := 0
	for n := w.pop(&batch); n > 0; n = w.pop(&batch) {
		left += n
	}
	if left != len(all) || w.running != 0 || w.ready != (queue{}) {
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
		ws := newWebSocket(ctx, newLink(Limits{}.withDefaults(), newRegistry()), newWriters(), &panics{logger: slog.Default()}, stageOpen)
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

func TestWhoWasWrittenToJustNowRestsWhileThereIsMuchToWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writers{most: 1, running: 1} // here it is the test that writes
		var batch [turns]*webSocket
		one, fresh := &webSocket{}, &webSocket{}
		takes := func(want *webSocket) {
			t.Helper()
			if n := w.pop(&batch); n != 1 || batch[0] != want {
				t.Fatalf("took %d, %p, want %p", n, batch[0], want)
			}
		}
		for range 3 { // little to write: nobody rests
			w.push(one)
			takes(one)
		}
		w.pace.wrote(time.Now(), 1000)
		w.push(one)
		w.push(fresh)
		takes(fresh)
		if n := w.pop(&batch); n != 0 {
			t.Fatalf("%d did not rest", n)
		}
		w.mu.Lock()
		w.running = 1
		w.mu.Unlock()
		time.Sleep(mostRest)
		synctest.Wait()
		takes(one)
		time.Sleep(mostRest)
		w.push(one)
		takes(one)
	})
}

func TestThePaceForgets(t *testing.T) {
	var p pace
	now := time.Unix(1, 0)
	if rest := p.rest(now); rest != 0 {
		t.Errorf("before anything was written: %v", rest)
	}
	p.wrote(now, 100)
	for after, want := range map[time.Duration]time.Duration{
		0: 100 * restPerWrite, window - 1: 100 * restPerWrite, window: 100 * restPerWrite, 3 * window: 0,
	} {
		q := p
		if rest := q.rest(now.Add(after)); rest != want {
			t.Errorf("%v later: %v, want %v", after, rest, want)
		}
	}
	p.wrote(now, 1e6)
	if rest := p.rest(now); rest != mostRest {
		t.Errorf("after very many: %v", rest)
	}
}
