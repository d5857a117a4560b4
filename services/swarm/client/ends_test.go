package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/client"
)

// dial connects to a fake and cuts the connection with the test.
func dial(t testing.TB, f *fake, transport client.Transport, event func([]byte)) *client.Conn {
	t.Helper()
	c, err := client.Dial(testContext(t), client.Options{URL: f.URL, Transport: transport, Event: event})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Cut()
		<-c.Done()
	})
	return c
}

// ended waits for the end of a connection and says why.
func ended(t testing.TB, c *client.Conn) error {
	t.Helper()
	select {
	case <-c.Done():
		return c.Err()
	case <-time.After(patience):
		t.Fatal("it has not ended")
		return nil
	}
}

func eachTransport(t *testing.T, test func(t *testing.T, transport client.Transport)) {
	for _, transport := range transports {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			test(t, transport)
		})
	}
}

// TestAnEndSaysWhy: each thing that a server sends is answered by an end for this reason, and an orderly goodbye.
func TestAnEndSaysWhy(t *testing.T) {
	isViolation := func(err error) bool { return errors.As(err, new(*client.Violation)) }
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	for sent, fits := range map[string]func(error) bool{
		"41":                              is(client.ErrDisconnected),
		"1":                               is(client.ErrLost),
		"43":                              isViolation,
		"430[]":                           isViolation, // not asked for
		`0{"sid":"x","pingInterval":1}`:   isViolation,
		`40{"sid":"again"}`:               isViolation,
		"40{}":                            isViolation,
		"3":                               isViolation,
		"bAAAA":                           isViolation,
		`451-["a",{"_placeholder":true}]`: isViolation,
		"nonsense":                        isViolation,
	} {
		for _, transport := range transports {
			t.Run(fmt.Sprintf("%.4s over %s", sent, transport), func(t *testing.T) {
				t.Parallel()
				f := newFake(t, func(s *session, text string) {
					welcome(s, text)
					if text == `42["now"]` {
						s.send(sent)
					}
				})
				c := dial(t, f, transport, nil)
				if err := c.Emit([]byte(`["now"]`)); err != nil {
					t.Fatal(err)
				}
				if err := ended(t, c); !fits(err) {
					t.Errorf("it ended with: %v", err)
				}
				if err := c.Emit([]byte(`["more"]`)); !fits(err) {
					t.Errorf("sent after the end: %v", err)
				}
				if err := c.Ask([]byte(`["more"]`), nil); !fits(err) {
					t.Errorf("asked after the end: %v", err)
				}
				goodbye := "websocket closed 1005"
				if transport == client.Polling {
					goodbye = "polling text/plain;charset=UTF-8 1"
				}
				<-f.session("s0").over
				if notes := f.notes(); notes[len(notes)-1] != goodbye {
					t.Errorf("it said %q", notes)
				}
			})
		}
	}
}

func TestAnAckThatComesTwiceIsAViolation(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		f := newFake(t, func(s *session, text string) {
			welcome(s, text)
			if text == `420["a"]` {
				s.send("430[1]", "430[1]")
			}
		})
		c := dial(t, f, transport, nil)
		var answers []string
		if err := c.Ask([]byte(`["a"]`), func(args []byte) { answers = append(answers, string(args)) }); err != nil {
			t.Fatal(err)
		}
		if err := ended(t, c); !errors.As(err, new(*client.Violation)) {
			t.Error(err)
		}
		if !slices.Equal(answers, []string{"[1]"}) {
			t.Errorf("answers: %q", answers)
		}
	})
}

func TestAServerThatDoesNotPingIsLost(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		f := newFake(t, nil)
		f.handshake = `"pingInterval":600,"pingTimeout":200`
		if err := ended(t, dial(t, f, transport, nil)); !errors.Is(err, client.ErrPingTimeout) || !errors.Is(err, client.ErrLost) {
			t.Error(err)
		}
	})
}

// TestPingsKeepItAlive for longer than it would live without.
func TestPingsKeepItAlive(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		const pause, patienceOfClient = 200 * time.Millisecond, time.Second
		alive := make(chan struct{})
		missing := int(2 * patienceOfClient / pause)
		f := newFake(t, func(s *session, text string) {
			welcome(s, text)
			if text != "3" && text != `42["go"]` {
				return
			}
			if missing--; missing == 0 {
				close(alive)
			} else {
				time.AfterFunc(pause, func() { s.send("2") })
			}
		})
		f.handshake = `"pingInterval":600,"pingTimeout":400`
		c := dial(t, f, transport, nil)
		if err := c.Emit([]byte(`["go"]`)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-c.Done():
			t.Fatal(c.Err())
		case <-alive:
		}
	})
}

func TestAStatusIsAnError(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		f := newFake(t, nil)
		f.refuse = http.StatusServiceUnavailable
		_, err := client.Dial(testContext(t), client.Options{URL: f.URL, Transport: transport})
		status := new(client.StatusError)
		if !errors.As(err, &status) || status.Status != f.refuse || !strings.Contains(status.Body, `{"code":3}`) {
			t.Error(err)
		}
	})
}

func TestASessionThatIsForgottenIsAnError(t *testing.T) {
	f := newFake(t, func(s *session, text string) {
		welcome(s, text)
		if text == `42["now"]` {
			s.fake.mu.Lock()
			delete(s.fake.sessions, s.sid)
			s.fake.mu.Unlock()
			s.send("6")
		}
	})
	c := dial(t, f, client.Polling, nil)
	if err := c.Emit([]byte(`["now"]`)); err != nil {
		t.Fatal(err)
	}
	if err := ended(t, c); !errors.As(err, new(*client.StatusError)) {
		t.Error(err)
	}
}

func TestAnUpgradeThatFailsIsAnError(t *testing.T) {
	f := newFake(t, nil)
	f.noUpgrade = true
	_, err := client.Dial(testContext(t), client.Options{URL: f.URL, Transport: client.Upgrade})
	if status := new(client.StatusError); !errors.As(err, &status) || !strings.Contains(err.Error(), "upgrade") {
		t.Error(err)
	}
}

// TestADialEndsWithItsContext: the server answers everything but CONNECT, or nothing at all.
func TestADialEndsWithItsContext(t *testing.T) {
	for name, answer := range map[string]func(*session, string){
		"no answer to CONNECT": func(*session, string) {},
		"no answer at all":     func(s *session, _ string) { <-s.over },
	} {
		for _, transport := range transports {
			t.Run(name+" over "+string(transport), func(t *testing.T) {
				t.Parallel()
				joining := make(chan struct{})
				var once sync.Once
				f := newFake(t, func(s *session, text string) {
					once.Do(func() { close(joining) })
					answer(s, text)
				})
				ctx, cancel := context.WithCancelCause(testContext(t))
				enough := errors.New("enough")
				go func() {
					<-joining
					cancel(enough)
				}()
				c, err := client.Dial(ctx, client.Options{URL: f.URL, Transport: transport})
				if c != nil || !errors.Is(err, enough) {
					t.Error(err)
				}
				f.session("s0").end()
			})
		}
	}
}

func TestWhatCannotBeDialledIsSaid(t *testing.T) {
	for _, o := range []client.Options{
		{URL: "localhost:3000"}, {URL: "ftp://localhost"}, {URL: "http://"}, {URL: "http://127.0.0.1:1", Transport: "pigeon"},
		{URL: "http://127.0.0.1:1", Auth: func() {}},
	} {
		if _, err := client.Dial(testContext(t), o); err == nil {
			t.Errorf("%+v was dialled", o)
		}
	}
	for _, transport := range transports {
		if _, err := client.Dial(testContext(t), client.Options{URL: "http://127.0.0.1:1", Transport: transport}); !errors.Is(err, client.ErrLost) {
			t.Error(err)
		}
	}
}

// TestACutIsNoGoodbye: over WebSocket the server sees a reset, and over polling nothing.
func TestACutIsNoGoodbye(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		f := newFake(t, nil)
		c := dial(t, f, transport, nil)
		before := f.notes()
		c.Cut()
		if err := ended(t, c); !errors.Is(err, client.ErrClosed) {
			t.Error(err)
		}
		if transport == client.Polling {
			if notes := f.notes(); !slices.Equal(notes, before) {
				t.Errorf("it said %q", notes[len(before):])
			}
			return
		}
		<-f.session("s0").over
		if notes := f.notes(); notes[len(notes)-1] != "websocket closed 0" {
			t.Errorf("the server saw %q", notes[len(before):])
		}
	})
}

// TestItEndsWithinACallback: no other begins after it, however much has come already.
func TestItEndsWithinACallback(t *testing.T) {
	for name, end := range map[string]func(*client.Conn){"close": (*client.Conn).Close, "cut": (*client.Conn).Cut} {
		for _, transport := range transports {
			t.Run(name+" over "+string(transport), func(t *testing.T) {
				t.Parallel()
				f := newFake(t, func(s *session, text string) {
					welcome(s, text)
					if text == `42["go"]` {
						s.send(slices.Repeat([]string{`42["a"]`}, 100)...)
					}
				})
				conn := make(chan *client.Conn, 1)
				calls := 0
				c := dial(t, f, transport, func([]byte) {
					calls++
					end(<-conn)
				})
				conn <- c
				if err := c.Emit([]byte(`["go"]`)); err != nil {
					t.Fatal(err)
				}
				if err := ended(t, c); !errors.Is(err, client.ErrClosed) || calls != 1 {
					t.Errorf("after %d calls: %v", calls, err)
				}
			})
		}
	}
}

// TestAPausedClientCanBeClosed also over polling, where it has no request under way.
func TestAPausedClientCanBeClosed(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		f := newFake(t, nil)
		c := dial(t, f, transport, nil)
		c.Pause()
		c.Close()
		if err := ended(t, c); !errors.Is(err, client.ErrClosed) {
			t.Error(err)
		}
		<-f.session("s0").over
		if notes := strings.Join(f.notes(), "\n"); !strings.Contains(notes, " 41") {
			t.Errorf("it said %s", notes)
		}
	})
}

// TestAServerThatDoesNotListenCannotDelayTheEnd: it never answers the goodbye.
func TestAServerThatDoesNotListenCannotDelayTheEnd(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		f := newFake(t, func(s *session, text string) {
			welcome(s, text)
			if text == "41" {
				<-s.over
			}
		})
		c := dial(t, f, transport, nil)
		c.Close()
		if err := ended(t, c); !errors.Is(err, client.ErrClosed) {
			t.Error(err)
		}
		f.session("s0").end()
	})
}

// TestAllThatIsSentComesWhole: from many goroutines, and larger than any buffer.
func TestAllThatIsSentComesWhole(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		all := make(chan struct{})
		var mu sync.Mutex
		missing := make(map[string]bool)
		f := newFake(t, func(s *session, text string) {
			welcome(s, text)
			mu.Lock()
			defer mu.Unlock()
			if delete(missing, text); len(missing) == 0 {
				close(all)
			}
		})
		large := strings.Repeat("l", 80_000)
		for i := range 8 {
			for j := range 10 {
				missing[fmt.Sprintf(`42["%d-%d%s"]`, i, j, large[:i*10_000])] = true
			}
		}
		c := dial(t, f, transport, nil)
		var senders sync.WaitGroup
		for i := range 8 {
			senders.Go(func() {
				for j := range 10 {
					if err := c.Emit(fmt.Appendf(nil, `["%d-%d%s"]`, i, j, large[:i*10_000])); err != nil {
						t.Error(err)
					}
				}
			})
		}
		senders.Wait()
		select {
		case <-all:
		case <-time.After(patience):
			mu.Lock()
			defer mu.Unlock()
			t.Fatalf("%d did not come", len(missing))
		}
	})
}

// TestLargeEventsComeWhole up to the limit, and no further.
func TestLargeEventsComeWhole(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		large := []byte(`["` + strings.Repeat("l", 1<<20) + `"]`)
		f := newFake(t, func(s *session, text string) {
			welcome(s, text)
			switch text {
			case `42["large"]`:
				s.send("42" + string(large))
			case `42["too large"]`:
				s.send(`42["` + strings.Repeat("l", client.MaxFrame) + `"]`)
			}
		})
		came := make(chan bool, 10)
		c := dial(t, f, transport, func(payload []byte) { came <- bytes.Equal(payload, large) })
		if err := c.Emit([]byte(`["large"]`)); err != nil {
			t.Fatal(err)
		}
		select {
		case whole := <-came:
			if !whole {
				t.Error("it came changed")
			}
		case <-time.After(patience):
			t.Fatal("it did not come")
		}
		if err := c.Emit([]byte(`["too large"]`)); err != nil {
			t.Fatal(err)
		}
		if err := ended(t, c); !errors.As(err, new(*client.Violation)) {
			t.Error(err)
		}
	})
}

func TestRawPacketsGoAsTheyAre(t *testing.T) {
	for transport, want := range map[client.Transport][]string{
		client.WebSocket: {"websocket 4nonsense", "websocket binary 0102"},
		client.Polling:   {"polling text/plain;charset=UTF-8 4nonsense", "polling text/plain;charset=UTF-8 bAQI="},
	} {
		f := newFake(t, nil)
		c := dial(t, f, transport, nil)
		if err := errors.Join(c.Write([]byte("4nonsense")), c.WriteBinary([]byte{1, 2})); err != nil {
			t.Fatal(err)
		}
		c.Close()
		_ = ended(t, c)
		notes := f.notes()
		if i := slices.Index(notes, want[0]); i < 0 || notes[i+1] != want[1] {
			t.Errorf("it said %q", notes)
		}
	}
}

func TestOnlyArraysAreEvents(t *testing.T) {
	c := dial(t, newFake(t, nil), client.WebSocket, nil)
	for _, payload := range []string{"", "[", `{"a":1}`, "null"} {
		if err := c.Emit([]byte(payload)); err == nil {
			t.Errorf("%q was sent", payload)
		}
	}
	if err := c.Emit(client.Payload("a", func() {})); err == nil {
		t.Error("what is no JSON was sent")
	}
}
