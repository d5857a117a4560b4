package verify

import (
	"context"
	"iter"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/notary"
)

const inAudit = "stream AUDIT"

// trail is stream AUDIT as it was when it was opened, one entry after the other.
//
//	entry   1  2  3 | 4  5 | 6  7  8
//	tree    of an     aban-  the newest one, whose leaves are
//	        earlier   doned  walked beside the log's
//	        log
type trail struct {
	began uint64 // the first sequence of the newest tree
	end   uint64 // the last sequence
	next  func() (notary.Entry, error, bool)
	stop  func()
	head  step
}

// step is what the stream has at a sequence.
type step struct {
	entry notary.Entry
	err   error // Corrupt: entry has only its sequence, or does not follow from the one before
	ok    bool  // false: the end
}

// openTrail fixes how far the stream goes. notary.ErrNone if there is no checkpoint. Close it.
func openTrail(ctx context.Context, audit *notary.Audit) (*trail, error) {
	t := &trail{}
	if err := t.survey(ctx, audit); err != nil {
		return nil, err
	}
	t.next, t.stop = iter.Pull2(audit.Entries(ctx))
	t.step() // there is nothing yet to be taken
	return t, nil
}

// survey reads the stream once to see where it ends, and where its newest tree begins. The last message alone could be a forged
// one, which says that it belongs to an earlier tree, to hide the newest.
func (t *trail) survey(ctx context.Context, audit *notary.Audit) error {
	for e, err := range audit.Entries(ctx) {
		if err != nil && !fault.Is(err, fault.Corrupt) {
			return err
		}
		if t.end = e.Sequence; err == nil { // else it is of no tree, or not of the one it says
			t.began = max(t.began, e.Began)
		}
	}
	if t.end == 0 {
		return notary.ErrNone
	}
	return nil
}

// step takes the next entry.
func (t *trail) step() (taken step) {
	taken = t.head
	t.head.entry, t.head.err, t.head.ok = t.next()
	t.head.ok = t.head.ok && t.head.entry.Sequence <= t.end
	return taken
}

// before takes the next entry if it is one of before the newest tree.
func (t *trail) before() (step, bool) {
	if !t.head.ok || t.head.entry.Sequence >= t.began {
		return step{}, false
	}
	return t.step(), true
}

func (t *trail) close() { t.stop() }
