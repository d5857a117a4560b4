package transport_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/zishang520/socket.io/servers/engine/v3"
	"github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

const (
	fanoutPeers = 1000
	fanoutText  = `2["chat message","good morning, how is everybody today?",123456,{"id":"0192f0c1-7e9a-7cc0-9d3c-2b3c4d5e6f70","at":"2026-01-01T00:00:00.000Z"}]`
)

// BenchmarkFanout delivers one message after the other to 1,000 clients. The
// clients are another process, so that the CPU time is the server's alone.
//
// window is how many messages may be under way: 1 is a quiet room, 64 a busy one.
// together is how many frames are given to one Send.
func BenchmarkFanout(b *testing.B) {
	for _, window := range []int{1, 64} {
		b.Run(fmt.Sprintf("emit/window=%d", window), func(b *testing.B) {
			o := fanoutOptions()
			o.SetTransports(types.NewSet(engine.Polling, engine.WebSocket))
			s := serve(b, o)
			s.onSocket(func(sock *socket.Socket) { sock.Join("room") })
			fanout(b, s, window, 1, func(int) {
				_ = s.io.To("room").Emit("chat message", "good morning, how is everybody today?", 123456,
					map[string]any{"id": "0192f0c1-7e9a-7cc0-9d3c-2b3c4d5e6f70", "at": "2026-01-01T00:00:00.000Z"})
			})
		})
		for _, together := range []int{1, 16} {
			if together > window {
				continue
			}
			b.Run(fmt.Sprintf("frames/window=%d/together=%d", window, together), func(b *testing.B) {
				s := serve(b, fanoutOptions())
				connected := make(chan *transport.Link, fanoutPeers)
				s.onSocket(func(sock *socket.Socket) { connected <- transport.LinkOf(sock.Conn()) })
				var links []*transport.Link
				fanout(b, s, window, together, func(n int) {
					for len(links) < fanoutPeers {
						links = append(links, <-connected)
					}
					frames := make([]transport.Frame, n)
					for i := range frames {
						frames[i] = transport.NewFrame([]byte(fanoutText))
					}
					for _, l := range links {
						if l.Send(frames...) != n {
							b.Fatal("over the budget")
						}
					}
				})
			})
		}
	}
}

func fanoutOptions() *socket.ServerOptions {
	o := options(transport.Limits{})
	o.SetPingInterval(time.Hour)
	return o
}

func fanout(b *testing.B, s *server, window, together int, send func(n int)) {
	delivered := peers(b, s.addr)
	send(together) // warm up
	waitFor(delivered, together)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	underWay := 0
	for left := b.N; left > 0; {
		n := min(together, left)
		for underWay+n > window {
			underWay -= <-delivered
		}
		send(n)
		underWay += n
		left -= n
	}
	waitFor(delivered, underWay)
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N*fanoutPeers), "cpu-ns/delivery")
}

// waitFor waits until n messages more have been delivered.
func waitFor(delivered <-chan int, n int) {
	for n > 0 {
		n -= <-delivered
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const fanoutEnv = "TIDEMARK_FANOUT_PEERS_OF"

// peers starts the clients, and tells how many messages more all of them have
// got together.
func peers(b *testing.B, addr string) <-chan int {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fanoutEnv+"="+addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "connected" {
		b.Fatalf("the clients say %q", lines.Text())
	}
	delivered := make(chan int, 1<<20)
	go func() {
		for known := 0; lines.Scan(); {
			n, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
			if err != nil {
				return
			}
			delivered <- n - known
			known = n
		}
	}()
	return delivered
}

// runPeers is the other process. It counts bytes and says how many messages that
// makes for each client.
func runPeers(addr string) {
	clients := make([]*wsClient, fanoutPeers)
	for i := range clients {
		for clients[i] == nil { // with the stock transport some get no answer
			clients[i], _ = connectPolitely(addr)
		}
		_ = clients[i].SetDeadline(time.Time{})
	}
	fmt.Println("connected")
	message := int64(transport.NewFrame([]byte(fanoutText)).Size()) * fanoutPeers
	var total atomic.Int64
	told := make(chan int64, 1024)
	for _, c := range clients {
		go func() {
			b := make([]byte, 16<<10)
			for {
				n, err := c.r.Read(b)
				if err != nil {
					return
				}
				if now := total.Add(int64(n)); now/message != (now-int64(n))/message {
					told <- now / message
				}
			}
		}()
	}
	most := int64(0)
	for n := range told {
		if n > most {
			most = n
			fmt.Println(n)
		}
	}
}

// connectPolitely connects a socket, but speaks only when spoken to: the stock
// transport drops a CONNECT that comes earlier.
func connectPolitely(addr string) (*wsClient, error) {
	c, err := dialWebSocket(addr, "")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(expectAll(c, `0{"`), c.send("40"), expectAll(c, `40{"sid"`)); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}
