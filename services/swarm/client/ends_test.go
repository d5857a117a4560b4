package client_test

import (
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
