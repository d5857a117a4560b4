package feedtest

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Way is another address of a nats-server: connections over it can be cut, and lose
// messages.
type Way struct {
	server   string // host:port
	listener net.Listener
	losing   int

	mu    sync.Mutex
	shut  bool
	conns map[net.Conn]struct{}
	all   sync.WaitGroup
}

// NewWay makes a way to a server until the test ends. Of the messages that the
// server has republished it loses one in losing, at random; 0 is none.
func NewWay(t testing.TB, url string, losing int) *Way {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Way{server: strings.TrimPrefix(url, "nats://"), listener: l, losing: losing, conns: map[net.Conn]struct{}{}}
	w.all.Go(w.accept)
	t.Cleanup(func() { l.Close(); w.Shut(); w.all.Wait() })
	return w
}

// URL is the way's address.
func (w *Way) URL() string { return "nats://" + w.listener.Addr().String() }

// Shut cuts all connections and takes no more.
func (w *Way) Shut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut = true
	for c := range w.conns {
		c.Close()
	}
}

// Open takes connections again.
func (w *Way) Open() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut = false
}

// Cut cuts all connections.
func (w *Way) Cut() { w.Shut(); w.Open() }

func (w *Way) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.server)
		if err != nil || !w.keep(client, server) {
			client.Close()
			if err == nil {
				server.Close()
			}
			continue
		}
		w.all.Go(func() { defer w.drop(client, server); _, _ = io.Copy(server, client) })
		w.all.Go(func() { defer w.drop(client, server); w.carry(client, server) })
	}
}

func (w *Way) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shut {
		return false
	}
	for _, c := range conns {
		w.conns[c] = struct{}{}
	}
	return true
}

func (w *Way) drop(conns ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(w.conns, c)
	}
}

// carry passes on what the server says, which is lines, each of a message followed
// by as many bytes as it says at its end.
func (w *Way) carry(client io.Writer, server io.Reader) {
	in := bufio.NewReaderSize(server, 64<<10)
	out := bufio.NewWriterSize(client, 64<<10)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		words := bytes.Fields(line)
		var body []byte
		if len(words) > 3 && (string(words[0]) == "MSG" || string(words[0]) == "HMSG") {
			size, err := strconv.Atoi(string(words[len(words)-1]))
			if err != nil {
				return
			}
			body = make([]byte, size+len("\r\n"))
			if _, err := io.ReadFull(in, body); err != nil {
				return
			}
			if w.losing > 0 && bytes.HasPrefix(words[1], []byte("feed.")) && rand.IntN(w.losing) == 0 {
				continue
			}
		}
		_, _ = out.Write(line)
		_, err = out.Write(body)
		if err == nil && in.Buffered() == 0 {
			err = out.Flush()
		}
		if err != nil {
			return
		}
	}
}
