package transport_test

import (
	"testing"
	"time"

	"github.com/zishang520/socket.io/servers/engine/v3"

	"github.com/tidemark-chat/tidemark/services/gateway/internal/transport"
)

// The engine's goroutine that has sent a ping is held up here until the client
// has answered, as a busy machine may do. Without the delay of pongs this
// connection ends by a ping timeout.
func TestAPongFasterThanTheEngineIsNotLost(t *testing.T) {
	const interval, timeout = 1800 * time.Millisecond, 1500 * time.Millisecond
	for name, connect := range map[string]func(*server) (run func() error){
		"websocket": func(s *server) func() error {
			c := mustConnect(t, s.addr)
			return func() error { _, err := c.text(); return err } // answers pings
		},
		"polling": func(s *server) func() error {
			c := mustPoll(t, s.addr)
			return func() error {
				for {
					if _, err := c.poll(); err != nil {
						return err
					}
					if err := c.post("3"); err != nil {
						return err
					}
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(transport.Limits{})
			o.SetPingInterval(interval)
			o.SetPingTimeout(timeout)
			s := serve(t, o)
			_ = s.io.Engine().On("connection", func(args ...any) {
				_ = args[0].(engine.Socket).On("drain", func(...any) { <-time.After(timeout / 20) })
			})
			run := connect(s)
			ended := make(chan error, 1)
			go func() {
				ended <- run()
				close(ended)
			}()
			select {
			case err := <-ended:
				t.Error(err)
			case <-time.After(interval + timeout + time.Second):
			}
			s.io.Close(nil)
			<-ended
		})
	}
}

func TestASilentClientIsClosed(t *testing.T) {
	o := options(transport.Limits{})
	o.SetPingInterval(20 * time.Millisecond)
	o.SetPingTimeout(20 * time.Millisecond)
	s := serve(t, o)
	mustConnect(t, s.addr)
	mustPoll(t, s.addr)
	eventually(t, "all connections are over", func() bool { return s.connections() == 0 })
}
