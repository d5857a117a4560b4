// Package oracle judges what the clients of a run did and were told by the log: whether anything that was acked is
// lost, doubled, reordered, altered or leaked, and whether every client was sent all of its conversations.
//
//	history.Run ──╮
//	              ├──▶ Check ──▶ Findings, each a short story with its client's timeline
//	log ──────────╯
//	  read (package evidence), or put together from what the clients saw (Observed)
//
// It knows the contract and nothing of how a gateway keeps it. Pure functions of values: no network, no clock, no
// goroutines; nobody may write the run any more. A finding is always a broken promise: where a history leaves two
// readings (a leave that was asked for and not yet acked, a connection that broke before it was told where it begins),
// the oracle takes the one that is in order.
package oracle

import (
	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// Message is a message as the log holds it.
type Message struct {
	history.Message        // with its key
	Scope           string // in which the key counts; empty in an observed log
}

// Log is the messages of a log, and no other events.
type Log struct {
	Messages []Message // ascending offsets
	// After is the offset after which the log was read. What is at or below it is not judged, and no message of the
	// run may be there.
	After uint64
	Head  uint64 // the newest offset of the log, also if it is no message's
	Epoch string // empty: not known; then what most connections were told counts
	// Observed says that the log was not read but put together from what clients saw and were acked.
	Observed bool
}

// Options say what may be expected of a run beside the contract.
type Options struct {
	// Quiet says that nobody sent any more and everybody had time to be sent the rest, before the connections that
	// are still open were closed.
	Quiet bool
	// UpTo is the offset up to which everybody must have been sent everything at the end of a quiet run; 0: up to the
	// log's head. Others may have written to the log between the clients' leaving and its being read: what is beyond
	// may have been sent or not.
	UpTo uint64
	// Present is how many open connections which actors must have had at the end of a quiet run, by name.
	Present map[string]int
}

// Check judges a run by a log. The findings stand in the order of Rules, the first ones of each.
func Check(run *history.Run, log Log, options Options) []Finding {
	c := &check{index: newIndex(run, log), options: options}
	c.answers()
	c.once()
	c.storedAsSent()
	c.realTime()
	c.foreseen()
	for _, a := range run.Actors {
		for i := range a.Connections {
			c.connection(a, i)
		}
	}
	c.present()
	return c.found.All()
}

// check is one judgement.
type check struct {
	*index
	options Options
	found   Findings
}
