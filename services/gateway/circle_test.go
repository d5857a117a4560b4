package gateway_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/config"
	"github.com/tidemark-chat/tidemark/services/gateway/gatewaytest"
	"github.com/tidemark-chat/tidemark/streams/logtest"
)

// together starts gateways over one log, with a read model.
func together(t testing.TB, gateways int, change ...func(*config.Config)) (s *logtest.Server, m *gatewaytest.ReadModel, addresses []string) {
	t.Helper()
	s = logtest.Start(t)
	s.Provision(logtest.Config())
	m = gatewaytest.ServeReadModel(t, s)
	cfg := gatewaytest.Config(s.URL())
	for _, c := range change {
		c(&cfg)
	}
	for range gateways {
		addresses = append(addresses, gatewaytest.Start(t, cfg).Address)
	}
	return s, m, addresses
}

type auth = gatewaytest.Auth

// markers is the room in which a circle sees that everything has arrived.
const markers = "markers"

// circle is somebody who does something, and everybody who may or must not hear of
// it, himself included. All are in the room markers.
type circle struct {
	t       testing.TB
	speaker *gatewaytest.Peer
	peers   map[string]*gatewaytest.Peer
	names   []string
	offset  uint64 // of the newest event in the log
	marks   int
	people  []gatewaytest.Event // that say who came and went
	nicks   map[*gatewaytest.Peer]bool
}

// newCircle is a circle once all of them have joined.
func newCircle(t testing.TB, speaker string, peers map[string]*gatewaytest.Peer) *circle {
	t.Helper()
	c := &circle{t: t, speaker: peers[speaker], peers: peers}
	for name := range peers {
		c.names = append(c.names, name)
	}
	slices.Sort(c.names)
	ack := c.ask("room message", map[string]any{"room": markers, "content": "ready"})
	for _, p := range peers {
		if _, err := p.Until(testContext(t), offsetIs(ack.Offset)); err != nil {
			t.Fatal(err)
		}
	}
	c.offset = ack.Offset
	return c
}

// nameless reports whether nobody is told that the speaker types.
func (c *circle) nameless() bool { return c.speaker.UserID == "" && !c.nicks[c.speaker] }

// add adds somebody who was not sent anything yet that others were not.
func (c *circle) add(name string, p *gatewaytest.Peer) {
	c.peers[name] = p
	c.names = append(c.names, name)
}

func offsetIs(offset uint64) func(gatewaytest.Event) bool {
	return func(e gatewaytest.Event) bool { return e.Post != nil && e.Post.Offset == offset }
}

// ask has the speaker send something that is acked.
func (c *circle) ask(event string, args ...any) (ack gatewaytest.Ack) {
	c.t.Helper()
	if _, err := c.speaker.Ask(testContext(c.t), &ack, event, args...); err != nil {
		c.t.Fatalf("%s: %v", said(event, args), err)
	}
	return ack
}

// refused has the speaker send what is refused with a code. That nobody hears of
// it, heard tells.
func (c *circle) refused(code string, event string, args ...any) {
	c.t.Helper()
	if ack := c.ask(event, args...); ack.OK || ack.Error.Code != code || ack.Error.Message == "" {
		c.t.Errorf("%s: %+v, want %s", said(event, args), ack, code)
	}
}

// unheard is refused, and nobody hears of it.
func (c *circle) unheard(code string, event string, args ...any) {
	c.t.Helper()
	c.refused(code, event, args...)
	c.heard(said(event, args), 0, nil)
}

// heard checks that, since the last time, so many events were stored, and that
// everybody was sent what reached says by name and nothing else. For that the
// speaker, who thereby shows that he still can, types and sends a message to all.
func (c *circle) heard(what string, stored int, reached map[string][]string) (events map[string][]gatewaytest.Event) {
	c.t.Helper()
	c.marks++
	mark := fmt.Sprint("mark ", c.marks)
	if !c.nameless() {
		if ack := c.ask("typing", map[string]any{"room": markers}); !ack.OK {
			c.t.Fatalf("after %s, typing: %+v", what, ack)
		}
	}
	ack := c.ask("room message", map[string]any{"room": markers, "content": mark})
	if want := c.offset + uint64(stored) + 1; ack.Offset != want {
		c.t.Errorf("after %s the next message has offset %d, want %d", what, ack.Offset, want)
	}
	c.offset = ack.Offset
	events = make(map[string][]gatewaytest.Event)
	for _, name := range c.names {
		events[name] = c.between(name, what)
		var got []string
		for _, e := range events[name] {
			got = append(got, e.Name)
		}
		if want := reached[name]; !slices.Equal(got, want) {
			c.t.Errorf("of %s, %s was sent %s, want %q", what, name, text(events[name]), want)
		}
	}
	return events
}

// between is what somebody was sent up to the mark, without what is only about
// who is there.
func (c *circle) between(name, what string) (events []gatewaytest.Event) {
	c.t.Helper()
	p := c.peers[name]
	typed, marked := p == c.speaker || c.nameless(), false
	_, err := p.Until(testContext(c.t), func(e gatewaytest.Event) bool {
		switch {
		case offsetIs(c.offset)(e):
			marked = true
		case e.Name == "typing" && !typed && strings.Contains(text([]gatewaytest.Event{e}), `"room":"`+markers+`"`):
			typed = true
		case strings.HasPrefix(e.Name, "user "):
			c.people = append(c.people, e)
		case e.Name == "watermark":
		default:
			events = append(events, e)
		}
		return typed && marked
	})
	if err != nil {
		c.t.Fatalf("after %s, %s: %v", what, name, err)
	}
	return events
}

// said is what somebody sent, for people to read.
func said(event string, args []any) string {
	body, _ := json.Marshal(args)
	return fmt.Sprintf("%s%.200s", event, body)
}

// text is events for people to read.
func text(events []gatewaytest.Event) string {
	var b strings.Builder
	for _, e := range events {
		args, _ := json.Marshal(e.Args)
		fmt.Fprintf(&b, "%s%s ", e.Name, args)
	}
	return "[" + strings.TrimSpace(b.String()) + "]"
}

// metric is what a gateway's /metrics says, or NaN.
func metric(address, name string) float64 {
	value := math.NaN()
	_, page := gatewaytest.Get(address, "/metrics")
	for line := range strings.Lines(page) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			fmt.Sscan(rest, &value)
		}
	}
	return value
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for ctx := testContext(t); !holds(); {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("it never came to this: %s", what)
		}
	}
}
