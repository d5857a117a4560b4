// Package evidence reads what the oracle judges by: the log itself, over NATS, and the read model, by the questions that a
// gateway asks it.
//
//	JetStream ── ReadLog ──▶ Reading ──▶ oracle.Check
//	                            │
//	persister ── ReadModel ─────╯──▶ Findings
//
// It only reads, makes nothing that outlives it, and takes from a log that others go on writing to what was there when it
// began. What cannot be read is an error; what was read and is not as it should be is a finding.
package evidence

import (
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/event"
)

// Reading is a log as it was read.
type Reading struct {
	Log oracle.Log
	// Events are the messages and registrations of Log, intact, ascending.
	Events []event.Event
	// Unknown is how many events there were of types and schemas that this code does not know. They are in order.
	Unknown int
}

// Progress is told how much of the whole is done. It must not block.
type Progress func(done, total uint64)

// progressStep is how many things are done between two calls of a Progress.
const progressStep = 1000

func (p Progress) at(done, total uint64) {
	if p != nil && (done%progressStep == 0 || done == total) {
		p(done, total)
	}
}
