package client_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
)

// hose sends ready-made frames to its only client, and is the client's connection after the answer to CONNECT.
func hose(t testing.TB, count func([]byte)) net.Conn {
	conns := make(chan net.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		_ = conn.WriteMessage(websocket.TextMessage, []byte(`0{"sid":"x","pingInterval":60000,"pingTimeout":60000}`))
		_, _, _ = conn.ReadMessage()
		_ = conn.WriteMessage(websocket.TextMessage, []byte(`40{"sid":"x"}`))
		conns <- conn.NetConn()
	}))
	t.Cleanup(server.Close)
	c, err := client.Dial(testContext(t), client.Options{URL: server.URL, Event: count})
	if err != nil {
		t.Fatal(err)
	}
	conn := <-conns
	t.Cleanup(func() {
		c.Cut()
		<-c.Done()
		_ = conn.Close()
	})
	return conn
}

// frames are n events of about the size of a short chat message with all its fields.
func frames(n int) []byte {
	text := `42["chat message","` + string(bytes.Repeat([]byte("x"), 40)) + `",123456,{"id":"0198c5a0-0000-7000-8000-000000000000","at":"2026-01-02T03:04:05.678Z"}]`
	frame := append(binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(text))), text...)
	return bytes.Repeat(frame, n)
}

const burst = 100

// flood sends bursts of frames and waits until all have come.
func flood(t testing.TB, conn net.Conn, came <-chan struct{}, bursts int) {
	b := frames(burst)
	for range bursts {
		if _, err := conn.Write(b); err != nil {
			t.Error(err)
			return
		}
	}
	<-came
}

// counter tells when n events have come.
func counter() (count func([]byte), expect func(n int) <-chan struct{}) {
	missing, came := 0, make(chan struct{}, 1)
	count = func([]byte) {
		if missing--; missing == 0 {
			came <- struct{}{}
		}
	}
	return count, func(n int) <-chan struct{} {
		missing = n // no events are on their way
		return came
	}
}

// BenchmarkReceive is what an event costs a client over WebSocket that does nothing with it, the work of the kernel for
// both sides included.
func BenchmarkReceive(b *testing.B) {
	count, expect := counter()
	conn := hose(b, count)
	b.ReportAllocs()
	b.SetBytes(int64(len(frames(1))))
	b.ResetTimer()
	bursts := (b.N + burst - 1) / burst
	flood(b, conn, expect(bursts*burst), bursts)
}

// TestAnEventCostsNoMemory but the few bytes that the WebSocket library takes for each message.
func TestAnEventCostsNoMemory(t *testing.T) {
	const bursts = 100
	count, expect := counter()
	conn := hose(t, count)
	flood(t, conn, expect(burst), 1) // buffers are there after this
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	flood(t, conn, expect(bursts*burst), bursts)
	runtime.ReadMemStats(&after)
	events := uint64(bursts * burst)
	if n := after.Mallocs - before.Mallocs; n > events*allocations*11/10 {
		t.Errorf("%d allocations for %d events", n, events)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > events*allocated {
		t.Errorf("%d bytes for %d events", n, events)
	}
}
