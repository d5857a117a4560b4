package measure

import "sync/atomic"

// Counter is a number that many goroutines add to. It has a cache line of its own, so that those who add to one are not
// slowed by those who add to its neighbour.
type Counter struct {
	atomic.Int64
	_ [56]byte
}

// Counters only grow. Their meanings are those of Counts.
type Counters struct {
	Connects, Refused, Cuts                       Counter
	Sent, Acked, Duplicates, Rejected, Unanswered Counter
	Received, Recoveries, Bytes                   Counter
}

// Counts is the counters at one time, or what was added to them in one interval.
type Counts struct {
	Connects int64 `json:"connects"` // connections opened: the CONNECT was answered
	Refused  int64 `json:"refused"`  // connections not opened: the dial or the CONNECT failed
	Cuts     int64 `json:"cuts"`     // connections that ended without being asked to

	Sent       int64 `json:"sent"`       // transmissions of messages, each retry one
	Acked      int64 `json:"acked"`      // of those, acked as stored, first or again
	Duplicates int64 `json:"duplicates"` // of those acked, said to have been stored before
	Rejected   int64 `json:"rejected"`   // of those sent, answered by a refusal
	Unanswered int64 `json:"unanswered"` // of those sent, on a connection that ended before an answer

	Received   int64 `json:"received"`   // messages that came, over all clients
	Recoveries int64 `json:"recoveries"` // ends of recovery that clients were told of
	Bytes      int64 `json:"bytes"`      // of the events that came, as JSON
}

// load reads what is caused before what causes it, so that no more is seen acked than sent.
func (c *Counters) load() (n Counts) {
	n.Bytes, n.Recoveries, n.Received = c.Bytes.Load(), c.Recoveries.Load(), c.Received.Load()
	n.Duplicates, n.Unanswered, n.Rejected = c.Duplicates.Load(), c.Unanswered.Load(), c.Rejected.Load()
	n.Acked = c.Acked.Load()
	n.Sent = c.Sent.Load()
	n.Cuts, n.Refused = c.Cuts.Load(), c.Refused.Load()
	n.Connects = c.Connects.Load()
	return n
}

func (c Counts) minus(o Counts) Counts {
	return c.plus(Counts{
		-o.Connects, -o.Refused, -o.Cuts,
		-o.Sent, -o.Acked, -o.Duplicates, -o.Rejected, -o.Unanswered,
		-o.Received, -o.Recoveries, -o.Bytes,
	})
}

func (c Counts) plus(o Counts) Counts {
	return Counts{
		c.Connects + o.Connects, c.Refused + o.Refused, c.Cuts + o.Cuts,
		c.Sent + o.Sent, c.Acked + o.Acked, c.Duplicates + o.Duplicates, c.Rejected + o.Rejected, c.Unanswered + o.Unanswered,
		c.Received + o.Received, c.Recoveries + o.Recoveries, c.Bytes + o.Bytes,
	}
}
