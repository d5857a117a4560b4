package crowd

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"
)

func TestAMixIsReadAndPrinted(t *testing.T) {
	mix, err := ParseMix(" guest=2, hostile=1,guest=1")
	if err != nil || mix.String() != "guest=3,hostile=1" || mix.Total() != 4 {
		t.Errorf("%v, %v", mix, err)
	}
	for _, bad := range []string{"", "guest", "guest=", "guest=-1", "guest=x", "nobody=3", "guest=1,,user=1"} {
		if mix, err := ParseMix(bad); err == nil {
			t.Errorf("%q was read as %v", bad, mix)
		}
	}
}

func TestAMixIsScaledToExactlySoMany(t *testing.T) {
	for _, total := range []int{1, 2, 7, 40, 1001} {
		if got := Everybody.Scale(total); got.Total() != total {
			t.Errorf("%d became %v", total, got)
		}
	}
	if got := Everybody.Scale(Everybody.Total()); !maps.Equal(got, Everybody) {
		t.Errorf("%v became %v", Everybody, got)
	}
	if rest := Everybody.Without("hostile"); rest["hostile"] != 0 || Everybody["hostile"] == 0 {
		t.Errorf("%v without one is %v", Everybody, rest)
	}
}

func TestADoorHoldsBackUntilItOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d door
		d.open()
		if waited, ok := d.pass(t.Context()); waited || !ok {
			t.Errorf("an open door: %v, %v", waited, ok)
		}
		shutting := d.shutting()
		d.close()
		d.close()
		<-shutting
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, ok := d.pass(short); ok || !errors.Is(short.Err(), context.DeadlineExceeded) {
			t.Error("a shut door let somebody in")
		}
		passed := make(chan bool)
		go func() {
			waited, ok := d.pass(t.Context())
			passed <- waited && ok
		}()
		synctest.Wait()
		d.open()
		if !<-passed {
			t.Error("who waited was not let in")
		}
		select {
		case <-d.shutting():
			t.Error("an open door is shutting")
		default:
		}
	})
}

func TestNotesCount(t *testing.T) {
	var n notes
	n.add("a")
	n.add("b")
	n.add("a")
	if all := n.all(); len(all) != 2 || all[0] != "a (2 times)" || all[1] != "b" {
		t.Errorf("%q", all)
	}
	for i := range 2 * maxNotes {
		n.add(string(rune('c' + i)))
	}
	if all := n.all(); len(all) != maxNotes {
		t.Errorf("%d texts are kept", len(all))
	}
}
