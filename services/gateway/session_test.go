package gateway

import "testing"

// A client that waits for each answer would otherwise be found with two requests under way now and then, and its message
// that was typed offline be refused rather than slowed down: to an official client that is an ack.
func TestARequestIsDoneWithBeforeItsSenderCanKnow(t *testing.T) {
	done, answered := false, false
	r := request{done: func() { done = true }, ack: func(map[string]any) {
		if answered = true; !done {
			t.Error("the answer came first")
		}
	}}
	if r.answer(nil); !answered {
		t.Error("no answer")
	}
}
