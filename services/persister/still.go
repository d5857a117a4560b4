package persister

import (
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// stillAfter is for how long a persister may stand still before it is not ready:
// longer than a takeover, and than any transaction of a database that is well.
const stillAfter = 30 * time.Second

// pace is by what a status knows that a persister stands still though its process
// lives.
type pace struct {
	heard time.Time // when the log last said how far it is
	// since is when there was last progress, or when there began to be something to
	// do; zero while there is nothing to do for this persister.
	since time.Time
}

// weigh notes whether there is something to do, and whether some of it was done just
// now. Called under mu. An interruption does not set it back: one that starts again
// and again and gets nowhere stands still.
func (s *status) weigh(moved bool) {
	switch {
	case !s.known, s.head <= s.checkpoint.Offset, s.role == standby, s.role == stopping:
		s.pace.since = time.Time{}
	case moved, s.pace.since.IsZero():
		s.pace.since = time.Now()
	}
}

// still says how the persister stands still, or returns nil. Called under mu.
//
// Who stands by has nothing to do, but must hear of the log as everybody.
func (s *status) still() error {
	if !s.known {
		return nil
	}
	if d := time.Since(s.pace.heard); d > stillAfter {
		return fmt.Errorf("nothing has been heard of the log for %v: a request to the log or the database hangs", d.Round(time.Second))
	}
	if d := time.Since(s.pace.since); s.pace.since.IsZero() || d <= stillAfter {
		return nil
	} else if s.role == waiting {
		return fmt.Errorf("for %v no persister has been given events, though the log is at %d and the checkpoint at %d: "+
			"look at the consumer %s", d.Round(time.Second), s.head, s.checkpoint.Offset, eventlog.ConsumerName)
	} else {
		return fmt.Errorf("the checkpoint has stood at %d for %v, though the log is at %d: look at the database and at this service's log",
			s.checkpoint.Offset, d.Round(time.Second), s.head)
	}
}
