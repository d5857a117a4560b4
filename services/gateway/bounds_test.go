package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

func TestMain(m *testing.M) {
	if order := os.Getenv(crowdOrder); order != "" {
		if err := beCrowd(order); err != nil {
			fmt.Fprintln(os.Stderr, "crowd:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(logtest.Main(m))
}

// heap is the live heap, after everything that can be collected was.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// settle waits until a value no longer exceeds a limit.
func settle(limit uint64, value func() uint64) uint64 {
	deadline := time.Now().Add(gatewaytest.Timeout)
	for {
		v := value()
		if v <= limit || time.Now().After(deadline) {
			return v
		}
		<-time.After(50 * time.Millisecond)
	}
}

// TestConnectionsLeaveNothingBehind connects and disconnects thousands of
// times, in every way, and compares goroutines and heap with the beginning.
func TestConnectionsLeaveNothingBehind(t *testing.T) {
	s := logtest.Start(t)
	cfg := gatewaytest.Config(s.URL())
	// On a busy machine a poll may be cut before it has arrived. Then only the
	// silence tells that its client has gone.
	cfg.Gateway.PingInterval, cfg.Gateway.PingTimeout = 2*time.Second, 5*time.Second
	g := gatewaytest.Start(t, cfg)
	send(t, gatewaytest.Connect(t, g.Address, nil), "something to replay")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	churn := func(n int) {
		var all sync.WaitGroup
		for worker := range 4 {
			all.Go(func() {
				for i := worker; i < n; i += 4 {
					if i%3 == 0 {
						pollOnce(t, client, g.Address, i%2 == 0)
						continue
					}
					c, err := gatewaytest.Dial(context.Background(), g.Address, nil)
					if err != nil {
						t.Error(err)
						return
					}
					if i%3 == 1 {
						_ = c.WriteRaw("41") // a goodbye first
					}
					c.Close()
				}
			})
		}
		all.Wait()
	}
	churn(600) // pools and caches fill
	members := func() uint64 {
		_, page := gatewaytest.Get(g.Address, "/metrics")
		var n float64
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, "tidemark_gateway_connected ") {
				fmt.Sscanf(line, "tidemark_gateway_connected %g", &n)
			}
		}
		return uint64(n)
	}
	goroutines := func() uint64 { return uint64(runtime.NumGoroutine()) }
	settle(1, members)
	client.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	beginGoroutines, beginHeap := settle(60, goroutines), heap()
	churn(3000)
	client.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	if n := settle(1, members); n != 1 {
		t.Errorf("%d members are left, want the one that stayed", n)
	}
	if n := settle(beginGoroutines+beginGoroutines/10, goroutines); n > beginGoroutines+beginGoroutines/10 {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d at the beginning\n%s", n, beginGoroutines, stacks[:runtime.Stack(stacks, true)])
	}
	if n := settle(beginHeap+beginHeap/10, heap); n > beginHeap+beginHeap/10 {
		t.Errorf("heap of %d KiB, %d at the beginning", n>>10, beginHeap>>10)
	}
}

// pollOnce connects by polling, joins, and leaves: with a goodbye, or by never
// coming back after its request was cut.
func pollOnce(t *testing.T, client *http.Client, address string, goodbye bool) {
	url := "http://" + address + "/socket.io/?EIO=4&transport=polling"
	post := func(sid, body string) error {
		r, err := client.Post(url+"&sid="+sid, "text/plain", strings.NewReader(body))
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		return err
	}
	get := func(ctx context.Context, url string) (string, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return "", err
		}
		r, err := client.Do(request)
		if err != nil {
			return "", err
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		return string(b), err
	}
	open, err := get(t.Context(), url)
	_, rest, found := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	if err != nil || !found {
		t.Errorf("polling handshake: %q, %v", open, err)
		return
	}
	if err := post(sid, "40"); err != nil {
		t.Error(err)
		return
	}
	if body, err := get(t.Context(), url+"&sid="+sid); err != nil || !strings.Contains(body, "40{") {
		t.Errorf("answer to CONNECT: %q, %v", body, err)
		return
	}
	if goodbye {
		if err := post(sid, "1"); err != nil {
			t.Error(err)
		}
		return
	}
	for { // read until a poll waits, and cut that one
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := get(ctx, url+"&sid="+sid)
		cancel()
		if err != nil {
			return
		}
	}
}

// TestAViewerThatStopsReadingSlowsNobodyDown broadcasts 50 MB while one viewer
// does not read. It catches up by itself when it reads again, most of it out of
// the log, since the tail is far smaller.
func TestAViewerThatStopsReadingSlowsNobodyDown(t *testing.T) {
	const size, count, senders = 16 << 10, 50 << 20 / (16 << 10), 2
	cfg := gatewaytest.Config(logtest.StartProcess(t).URL)
	cfg.Stream.MaxBytes = 256 << 20
	cfg.Gateway.TailBytes = 4 << 20
	cfg.Gateway.StallTimeout, cfg.Gateway.PingTimeout = 5*time.Minute, 5*time.Minute
	g := gatewaytest.Start(t, cfg)
	var clients []*gatewaytest.Client
	for range senders {
		clients = append(clients, gatewaytest.Connect(t, g.Address, map[string]any{"serverOffset": "latest"}))
	}
	everyone := func(each int) (latencies [][]time.Duration) {
		latencies = make([][]time.Duration, senders)
		var all sync.WaitGroup
		for i, c := range clients {
			all.Go(func() { latencies[i] = broadcast(t, c, strings.Repeat("x", size), each) })
		}
		all.Wait()
		return latencies
	}
	beginHeap := heap()
	stalled := dialStalled(t, g.Address)
	latencies := everyone(count / senders)
	// What may remain is the buffers' budgets, not what the viewer has not read.
	if grown := int64(heap()) - int64(beginHeap); grown > 16<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	var early, late []time.Duration
	for _, l := range latencies {
		early, late = append(early, l[:len(l)/10]...), append(late, l[len(l)/2:]...)
	}
	if e, l := median(early), median(late); l > 10*e+100*time.Millisecond { // waiting for the viewer would take seconds
		t.Errorf("median latency %v at first, %v while the viewer's buffer was full", e, l)
	}
	if _, page := gatewaytest.Get(g.Address, "/metrics"); !strings.Contains(page, "tidemark_gateway_catching_up 1") {
		t.Error("the stalled viewer is not counted as catching up")
	}
	for last := uint64(0); last < count; last++ {
		text, err := readText(stalled)
		if err != nil {
			t.Fatalf("after offset %d: %v", last, err)
		}
		if string(text) == "2" { // a ping
			last--
			continue
		}
		_, rest, isMessage := bytes.Cut(text, []byte(`xxx",`))
		var offset uint64
		if fmt.Sscanf(string(rest), "%d", &offset); !isMessage || offset != last+1 {
			t.Fatalf("%.40q after offset %d", text, last)
		}
	}
}

// broadcast sends messages one after another, each after the one before came
// back, and returns how long each took.
func broadcast(t *testing.T, c *gatewaytest.Client, content string, count int) []time.Duration {
	var latencies []time.Duration
	ctx, cancel := context.WithTimeout(context.Background(), 5*gatewaytest.Timeout)
	defer cancel()
	for range count {
		began := time.Now()
		ack, err := c.Send(ctx, "chat message", content)
		for offset := uint64(0); err == nil && offset < ack.Offset; {
			var m gatewaytest.Message
			m, err = c.NextMessage(ctx)
			offset = m.Offset
		}
		if err != nil || !ack.OK {
			t.Errorf("ack %+v, %v", ack, err)
			return latencies
		}
		latencies = append(latencies, time.Since(began))
	}
	return latencies
}

func median(d []time.Duration) time.Duration {
	d = slices.Clone(d)
	slices.Sort(d)
	return d[len(d)/2]
}

// dialStalled connects with a bounded receive buffer and reads nothing by itself.
func dialStalled(t *testing.T, address string) *bufio.Reader {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(256 << 10); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", address)
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %v, %v", response, err)
	}
	connect := `40{"serverOffset":"latest"}`
	if _, err := conn.Write(append([]byte{0x81, 0x80 | byte(len(connect)), 0, 0, 0, 0}, connect...)); err != nil {
		t.Fatal(err)
	}
	for {
		text, err := readText(r)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(text, []byte(`42["recovery"`)) {
			return r // live
		}
	}
}

// readText reads one unmasked frame.
func readText(r *bufio.Reader) ([]byte, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	length := int(head[1])
	extra := map[int]int{126: 2, 127: 8}[length]
	if extra > 0 {
		long := make([]byte, extra)
		if _, err := io.ReadFull(r, long); err != nil {
			return nil, err
		}
		length = 0
		for _, b := range long {
			length = length<<8 | int(b)
		}
	}
	text := make([]byte, length)
	_, err := io.ReadFull(r, text)
	return text, err
}
