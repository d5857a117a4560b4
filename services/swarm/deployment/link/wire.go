package link

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"
)

// apparatus is what toxiproxy's parts ask for: no metrics, no log. Some of its toxics write to zerolog's global logger,
// which nothing else in the swarm uses.
var apparatus = sync.OnceValue(func() *toxiproxy.ApiServer {
	log.Logger = zerolog.Nop()
	return toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
})

var (
	answers  = []string{"downstream"}
	bothWays = []string{"upstream", "downstream"}
)

// toxic is a fault of a wire, in toxiproxy's words.
type toxic struct {
	Name       string           `json:"name"`
	Type       string           `json:"type"`
	Stream     string           `json:"stream"`
	Attributes map[string]int64 `json:"attributes"`

	ways []string
}

// swallows reports whether bytes are missing from a wire that has had it.
func (t toxic) swallows() bool { return t.Type == "timeout" }

// wire is one connection through a link.
type wire struct {
	link   *Link
	caller *net.TCPConn

	mu     sync.Mutex // held while toxics change; guards what follows
	target *net.TCPConn
	toxics *toxiproxy.ToxicCollection // nil before the target is reached, and after the end
	names  []string                   // of the toxics

	ending sync.Mutex // guards what follows; taken after mu
	ended  bool
	conns  []*net.TCPConn
}

// run passes on what either side sends until both have ended.
func (w *wire) run(ctx context.Context) {
	defer w.forget()
	w.own(w.caller)
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", w.link.target)
	if err != nil { // nobody there
		w.reset()
		return
	}
	target := conn.(*net.TCPConn)
	w.own(target)
	proxy := toxiproxy.NewProxy(apparatus(), w.link.name, "", "")
	toxics := toxiproxy.NewToxicCollection(proxy)
	if w.begin(target, toxics) != nil {
		w.reset()
		return
	}

	var directions sync.WaitGroup
	directions.Add(2)
	toxics.StartLink(apparatus(), "up", source{w, w.caller}, &sink{wire: w, conn: target, done: directions.Done}, stream.Upstream)
	toxics.StartLink(apparatus(), "down", source{w, target}, &sink{wire: w, conn: w.caller, done: directions.Done}, stream.Downstream)
	directions.Wait()
	w.end((*net.TCPConn).Close) // what has been written still arrives
}

// begin gives a wire that has just been made the fault that its link has.
func (w *wire) begin(target *net.TCPConn, toxics *toxiproxy.ToxicCollection) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.target, w.toxics = target, toxics
	w.link.mu.Lock()
	fault := w.link.fault
	w.link.mu.Unlock()
	if fault == nil {
		return nil
	}
	return w.add(*fault)
}

// infect adds a toxic. It returns when it is in effect, or has reset the wire because that took too long.
func (w *wire) infect(t toxic) (err error) {
	w.inTime(func() {
		if w.toxics != nil && len(w.names) == 0 { // else it began with it
			err = w.add(t)
		}
	})
	return err
}

// add adds a toxic. The caller holds mu.
func (w *wire) add(t toxic) error {
	for _, way := range t.ways {
		t.Name, t.Stream = t.Type+" "+way, way
		text, err := json.Marshal(t)
		if err == nil {
			_, err = w.toxics.AddToxicJson(bytes.NewReader(text))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		w.names = append(w.names, t.Name)
	}
	return nil
}

// cure takes the toxics away. What they hold back passes first.
func (w *wire) cure() {
	w.inTime(func() {
		for _, name := range w.names {
			_ = w.toxics.RemoveToxic(context.Background(), name) // it is there
		}
		w.names = nil
	})
}

// inTime changes the wire's toxics, and resets the wire if that is held up by a reader who takes nothing. It returns when
// the change is made, which a reset lets happen.
func (w *wire) inTime(change func()) {
	timer := time.AfterFunc(patience, w.reset)
	defer timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// own makes reset end a connection.
func (w *wire) own(c *net.TCPConn) {
	w.ending.Lock()
	defer w.ending.Unlock()
	w.conns = append(w.conns, c)
	if w.ended {
		_ = abort(c)
	}
}

// reset ends the wire, in both directions and at once.
func (w *wire) reset() { w.end(abort) }

func (w *wire) end(how func(*net.TCPConn) error) {
	w.ending.Lock()
	defer w.ending.Unlock()
	if w.ended {
		return
	}
	w.ended = true
	for _, c := range w.conns {
		_ = how(c) // nothing can be done, and nothing is left
	}
}

// abort closes a connection so that the other side is told of a reset and not of an end.
func abort(c *net.TCPConn) error {
	_ = c.SetLinger(0) // only Close counts
	return c.Close()
}

func (w *wire) forget() {
	w.link.mu.Lock()
	delete(w.link.wires, w)
	w.link.mu.Unlock()
}

// source is what one side sends. What is not an orderly end of it resets the wire.
type source struct {
	wire *wire
	conn *net.TCPConn
}

func (s source) Read(p []byte) (int, error) {
	n, err := s.conn.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.wire.reset()
	}
	return n, err
}

// sink is where one side's bytes go. When they can no longer be written the wire is reset, and what still comes through
// the toxics is taken and thrown away, so that they come to their end too.
type sink struct {
	wire   *wire
	conn   *net.TCPConn
	failed bool
	done   func()
}

func (s *sink) Write(p []byte) (int, error) {
	if s.failed {
		return len(p), nil
	}
	if _, err := s.conn.Write(p); err != nil {
		s.failed = true
		s.wire.reset()
	}
	return len(p), nil
}

// Close is called once, after the last Write: it passes on an orderly end.
func (s *sink) Close() error {
	defer s.done()
	return s.conn.CloseWrite()
}
