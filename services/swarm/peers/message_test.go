package peers

import (
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestAMessageTellsWhenItWasSentAndByWhom(t *testing.T) {
	at := time.Unix(1_700_000_000, 123_456_789)
	payload := chatMessage(at, 999, "abc-1")
	var args []string
	if err := json.Unmarshal(payload, &args); err != nil {
		t.Fatal(err)
	}
	if len(args) != 3 || args[0] != "chat message" || len(args[1]) != contentBytes || args[2] != "abc-1" {
		t.Errorf("%q", args)
	}
	sent, sender, ok := parseMessage(payload)
	if !ok || !sent.Equal(at) || sender != 999 {
		t.Errorf("%v, %d, %v", sent, sender, ok)
	}
	for _, other := range []string{
		`["recovery",{"recovered":true}]`, `["chat message","hello",1]`, `["chat message"]`, ``,
		strings.Replace(string(payload), "17000", "x7000", 1), strings.Replace(string(payload), " 00999 ", " 00y99 ", 1),
	} {
		if _, _, ok := parseMessage([]byte(other)); ok {
			t.Errorf("%q was taken for a message", other)
		}
	}
}

func TestWhoComesBackSaysWhatItHasHad(t *testing.T) {
	for _, test := range []struct {
		name    string
		auth    func(seen) (any, error)
		message string
		want    string // empty: an error
	}{
		{"an offset", seen.asServerOffset, `["chat message","x",42,{"id":"1"}]`, `{"serverOffset":42}`},
		{"the offset before the adapter's", seen.asServerOffset, `["chat message","x",7,"Q7-1"]`, `{"serverOffset":7}`},
		{"the adapter's", seen.asRecovery, `["chat message","x",7,"Q7-1"]`, `{"offset":"Q7-1","pid":"p"}`},
		{"the adapter's alone", seen.asRecovery, `["chat message","x","17-0"]`, `{"offset":"17-0","pid":"p"}`},
		{"none", seen.asServerOffset, `["chat message","x"]`, ""},
		{"no array", seen.asRecovery, `{}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			auth, err := test.auth(seen{"p", []byte(test.message)})
			if test.want == "" {
				if err == nil {
					t.Errorf("%v", auth)
				}
				return
			}
			if got, _ := json.Marshal(auth); string(got) != test.want || err != nil {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
}

func TestAMessageIsInFlightUntilItIsAckedAndIfWantedBack(t *testing.T) {
	for _, echo := range []bool{false, true} {
		o := (&member{}).newOutbox(2, echo)
		o.slots <- struct{}{}
		o.slots <- struct{}{}
		o.acked(time.Millisecond, []byte(`[]`))
		free := 1
		if echo {
			free = 0
		}
		if got := cap(o.slots) - len(o.slots); got != free {
			t.Errorf("echo %v: %d slots are free after an ack, not %d", echo, got, free)
		}
		o.returned()
		o.returned() // the second before its ack
		if got := cap(o.slots) - len(o.slots); got != 1 {
			t.Errorf("echo %v: %d slots are free after ack and echo, not 1", echo, got)
		}
		o.acked(time.Millisecond, []byte(`[{"ok":false,"error":{"code":"forbidden"}}]`))
		if err := o.empty(t.Context()); err == nil || !strings.Contains(err.Error(), "forbidden") {
			t.Errorf("echo %v: a refusal gives %v", echo, err)
		}
	}
}

func TestInParallelDoesEachOnceAndStopsAfterAnError(t *testing.T) {
	var done [100]atomic.Int32
	if err := inParallel(len(done), 7, func(i int) error { done[i].Add(1); return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range done {
		if n := done[i].Load(); n != 1 {
			t.Errorf("%d was done %d times", i, n)
		}
	}
	broken := errors.New("broken")
	var begun atomic.Int32
	err := inParallel(1000, 4, func(i int) error {
		begun.Add(1)
		if i == 10 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	if err := inParallel(1000, 1, func(i int) error { begun.Store(int32(i)); return map[int]error{10: broken}[i] }); !errors.Is(err, broken) || begun.Load() != 10 {
		t.Errorf("after the error at 10, %d was begun, %v", begun.Load(), err)
	}
}

func TestAwaitWantsNeitherLessNorMore(t *testing.T) {
	c := newCrowd(2)
	go func() {
		for _, m := range c.members {
			m.event(chatMessage(time.Now(), 0, "k"))
			m.event([]byte(`["watermark",{"offset":1}]`))
		}
	}()
	if err := c.await(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if got := len(c.waits()); got != 2 {
		t.Errorf("%d waits", got)
	}
	c.members[0].event(chatMessage(time.Now(), 0, "k"))
	if err := c.await(t.Context(), 2); err == nil {
		t.Error("one too many was not noticed")
	}
	c.reset()
	if got := len(c.waits()); got != 0 {
		t.Errorf("after a reset there are %d waits", got)
	}
}
