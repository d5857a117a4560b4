package event

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-chat/tidemark/streams/subject"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestATraceIsNoPartOfTheEvent(t *testing.T) {
	e := NewPosted("018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a", subject.General, "hi")
	e.Sender, e.Key = "u1", "k"
	e.Seal()
	for _, schema := range []string{"1", "2"} {
		plain, traced := e.Encode(), e.Encode()
		SetTrace(traced, Trace(WithTrace(context.Background(), traceparent)), 1<<16)
		plain.Header[headerSchema], traced.Header[headerSchema] = []string{schema}, []string{schema}
		if TraceOf(traced.Header) != traceparent || TraceOf(plain.Header) != "" {
			t.Fatalf("the headers are %v and %v", traced.Header, plain.Header)
		}
		at := time.Now()
		one, err := Decode(7, at, plain.Subject, plain.Header, plain.Data)
		other, otherErr := Decode(7, at, traced.Subject, traced.Header, traced.Data)
		if err != nil || otherErr != nil || one != other {
			t.Errorf("schema %s: %+v (%v) and %+v (%v)", schema, one, err, other, otherErr)
		}
	}
}

func TestNoEventIsTooLargeBecauseOfItsTrace(t *testing.T) {
	const limit = 4096
	for size := limit - 600; size < limit; size++ {
		e := NewPosted("018f3c2a-1b2c-7d3e-9f4a-5b6c7d8e9f0a", subject.General, strings.Repeat("x", size))
		e.Seal()
		m := e.Encode()
		before := m.Size()
		SetTrace(m, traceparent, limit)
		if before <= limit && m.Size() > limit {
			t.Fatalf("%d bytes became %d", before, m.Size())
		}
		if carries := TraceOf(m.Header) != ""; carries != (before+len(traceparent)+15 <= limit) {
			t.Fatalf("%d bytes: carries its trace: %v", before, carries)
		}
	}
}
