package transport

import "testing"

func TestWhoWaitsLongestIsWrittenFirst(t *testing.T) {
	w := &writers{most: 1, running: 1} // here it is the test that writes
	all := make([]*webSocket, 3*turns/2)
	for i := range all {
		all[i] = &webSocket{}
		w.push(all[i])
	}
	var batch [turns]*webSocket
	for round := range 3 {
		if n := w.pop(&batch); n != turns {
			t.Fatalf("round %d: took %d", round, n)
		}
		for i, got := range batch {
			if want := all[(round*turns+i)%len(all)]; got != want {
				t.Fatalf("round %d: place %d is another's", round, i)
			}
			w.push(got) // there is more for it
		}
	}
	left := 0
	for n := w.pop(&batch); n > 0; n = w.pop(&batch) {
		left += n
	}
	if left != len(all) || w.waiting != 0 || w.running != 0 || w.first != nil || w.last != nil {
		t.Errorf("%d left of %d: %+v", left, len(all), w)
	}
}
