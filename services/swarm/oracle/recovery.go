package oracle

import (
	"fmt"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// recovery checks what the connection was told of its catching up.
func (w *walk) recovery() {
	messages, highest, told := uint64(0), uint64(0), false
	for i := range w.conn.Entries {
		switch e := &w.conn.Entries[i]; {
		case e.Kind == history.Received:
			messages++
			highest = max(highest, e.Message.Offset)
		case e.Kind == history.Recovered && told:
			w.misled(i, "was told a second time that it had caught up")
		case e.Kind == history.Recovered:
			told = true
			w.recovered(i, e.Recovery, messages, highest)
		}
	}
	if !told && w.atEnd() {
		w.add(Recovery, len(w.conn.Entries)-1, 0, func() string {
			return fmt.Sprintf("%s is still open (%s) and was never told that it had caught up.", w.actor.Name, place(w.actor, w.number))
		})
	}
}

// recovered checks one recovery, before which so many messages came, up to an offset.
func (w *walk) recovered(i int, r *history.Recovery, messages, highest uint64) {
	if r.Count != messages {
		w.misled(i, "was told that it had been sent %d messages, and had been sent %d", r.Count, messages)
	}
	if highest > r.Head {
		w.misled(i, "was told that it had caught up to %d, but had been sent %d before", r.Head, highest)
	}
	if r.From > r.Head {
		w.misled(i, "was told that it began at %d and had caught up to %d", r.From, r.Head)
	}
	switch {
	case r.Epoch == w.epoch:
	case w.log.Epoch != "":
		w.misled(i, "was told of the epoch %q, the log's is %q", r.Epoch, w.epoch)
	default:
		w.misled(i, "was told of the epoch %q, others of %q", r.Epoch, w.epoch)
	}
	if r.Recovered {
		w.continued(i, r)
	} else {
		w.resynchronised(i, r)
	}
}

// continued checks a recovery that says that nothing was lost.
func (w *walk) continued(i int, r *history.Recovery) {
	said, fixed := w.said(w.actor, w.conn)
	switch {
	case r.Reason != "":
		w.misled(i, "was told that it had been sent everything, and why not: %s", r.Reason)
	case fixed && r.From != said:
		w.misled(i, "was told that it began at %d, and had asked for what follows %d", r.From, said)
	case fixed && said > w.log.Head:
		w.misled(i, "was told that nothing is missing after %d, where the log does not reach", said)
	case w.otherEpoch(w.conn):
		w.misled(i, "was told that nothing is missing after %d of the epoch %q, which is another one", said, w.conn.Epoch)
	}
}

// resynchronised checks a recovery that says that the client has to begin anew. Of an intact log nothing is ever
// trimmed: only what the client said can be the reason.
func (w *walk) resynchronised(i int, r *history.Recovery) {
	switch {
	case r.Reason == "epoch_changed" && w.otherEpoch(w.conn), r.Reason == "ahead_of_log" && w.aheadOfLog(w.conn):
		if r.From != 0 {
			w.misled(i, "was told that it had to begin anew (%s), and that it began at %d", r.Reason, r.From)
		}
	case r.Reason == "":
		w.misled(i, "was told that it was not sent everything, and not why")
	default:
		w.misled(i, "was told that it was not sent everything (%s), for which there was no reason", r.Reason)
	}
}

func (w *walk) misled(entry int, format string, args ...any) {
	w.add(Recovery, entry, w.conn.Entries[entry].Recovery.Head, func() string { return w.who(entry) + " " + fmt.Sprintf(format, args...) + "." })
}
