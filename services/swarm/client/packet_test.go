package client

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestPacketsAreRead(t *testing.T) {
	for text, want := range map[string]packet{
		`0{"sid":"x"}`:      {kind: opening, body: []byte(`{"sid":"x"}`)},
		`1`:                 {kind: closing},
		`2`:                 {kind: ping},
		`6`:                 {kind: noop},
		`40{"sid":"x"}`:     {kind: connected, body: []byte(`{"sid":"x"}`)},
		`41`:                {kind: disconnected},
		`42["a",1]`:         {kind: event, body: []byte(`["a",1]`)},
		`4217["a",1]`:       {kind: event, body: []byte(`["a",1]`)}, // wants an ack, and gets none
		`430[]`:             {kind: ack, body: []byte(`[]`)},
		`4312[{"ok":true}]`: {kind: ack, id: 12, body: []byte(`[{"ok":true}]`)},
		`44{"message":"m"}`: {kind: refusal, body: []byte(`{"message":"m"}`)},
	} {
		if p, err := parse([]byte(text)); err != nil || p.kind != want.kind || p.id != want.id || !bytes.Equal(p.body, want.body) {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
}

var malformed = []string{"", "4", "5", "7", "3", "3probe", "2probe", "66", "1x", "0", "0[]", "40", "40[]", `40/x,{"sid":"x"}`, "41x", "41/x,",
	"42", "42[]", "42[", `42{"a":1}`, `42/x,["a"]`, "42-1[\"a\"]", "43[]", "43x[]", "430", "430{}", "430[", "4399999999999999999999[]", "43-1[]",
	"44", `44"m"`, `451-["a"]`, "46", "bAAAA", "\x00", "hello"}

func TestWhatIsNoPacketIsAViolation(t *testing.T) {
	for _, text := range malformed {
		if p, err := parse([]byte(text)); !errors.As(err, new(*Violation)) {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range malformed {
		f.Add([]byte(text))
	}
	f.Add([]byte(`42["a"]`))
	f.Add([]byte(`431[]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parse(text)
		if err == nil && !bytes.HasSuffix(text, p.body) || err != nil && !errors.As(err, new(*Violation)) {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	})
}

func TestPayloadsAreWrittenAsAnOfficialClientDoes(t *testing.T) {
	if got := string(Payload("a", "<b> & ü", 1, nil, []int{})); got != `["a","<b> & ü",1,null,[]]` {
		t.Error(got)
	}
	if got := Payload("a", func() {}); got != nil {
		t.Errorf("%s", got)
	}
}

func TestBodiesHoldWhatFits(t *testing.T) {
	for _, c := range []struct {
		packets []string
		limit   int
		bodies  []string
	}{
		{nil, 10, nil},
		{[]string{"4a"}, 10, []string{"4a"}},
		{[]string{"4a", "4b", "4c"}, 0, []string{"4a\x1e4b\x1e4c"}},
		{[]string{"4a", "4b", "4c"}, 8, []string{"4a\x1e4b\x1e4c"}},
		{[]string{"4a", "4b", "4c"}, 7, []string{"4a\x1e4b", "4c"}},
		{[]string{"4long", "4b", "4c"}, 2, []string{"4long", "4b", "4c"}},
	} {
		var o outbox
		for _, p := range c.packets {
			if err := o.add([]byte(p)); err != nil {
				t.Fatal(err)
			}
		}
		var bodies []string
		for body := o.take(c.limit); body != nil; body = o.take(c.limit) {
			bodies = append(bodies, string(body))
		}
		if !slices.Equal(bodies, c.bodies) || o.size != 0 {
			t.Errorf("%q in at most %d: %q, and %d bytes are left", c.packets, c.limit, bodies, o.size)
		}
	}
}

func TestAnOutboxIsBounded(t *testing.T) {
	var o outbox
	packet := []byte(strings.Repeat("x", maxOutbox/2))
	for range 2 {
		if err := o.add(packet); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.add([]byte("x")); !errors.Is(err, ErrBacklog) {
		t.Error(err)
	}
	o.take(1)
	if err := o.add([]byte("x")); err != nil {
		t.Error(err)
	}
}
