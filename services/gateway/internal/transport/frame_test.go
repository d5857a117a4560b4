package transport

import (
	"bytes"
	"testing"
)

func FuzzFrames(f *testing.F) {
	f.Add([]byte("a"), []byte("b"), 0)
	f.Add(bytes.Repeat([]byte("a"), 126), bytes.Repeat([]byte("b"), 70000), 200)
	f.Fuzz(func(t *testing.T, one, two []byte, limit int) {
		b := append(appendHeader(nil, opText, len(one)), one...)
		first := len(b)
		b = append(append(appendHeader(b, opBinary, len(two)), two...), NewFrame(one).wire...)
		opcode, payload, rest := splitFrame(b)
		if opcode != opText || !bytes.Equal(payload, one) {
			t.Errorf("first: %x %q", opcode, payload)
		}
		opcode, payload, rest = splitFrame(rest)
		if opcode != opBinary || !bytes.Equal(payload, two) {
			t.Errorf("second: %x %q", opcode, payload)
		}
		_, payload, rest = splitFrame(rest)
		if len(rest) != 0 || string(payload) != "4"+string(one) {
			t.Errorf("third: %q, and %d bytes", payload, len(rest))
		}
		if n := leading(b, limit); n < first || n > max(first, limit) && n != first {
			t.Errorf("leading %d of %d for a limit of %d", n, len(b), limit)
		}
	})
}

func TestAPayloadHoldsFramesInOrder(t *testing.T) {
	b := NewFrame([]byte(`2["x"]`)).wire
	b = append(append(bytes.Clone(b), appendHeader(nil, opBinary, 4)...), 1, 2, 3, 4)
	b = append(b, NewFrame([]byte(`2["y"]`)).wire...)
	if got, want := string(appendPayload(nil, b)), "42[\"x\"]\x1ebAQIDBA==\x1e42[\"y\"]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
