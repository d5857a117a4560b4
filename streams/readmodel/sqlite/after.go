package sqlite

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// After implements query.Model. It first finds out what an inbox stands for,
// then picks the offsets out of the primary key, conversation by conversation,
// and then reads just those rows.
func (s *Store) After(ctx context.Context, r query.AfterRequest) (reply query.AfterReply, err error) {
	if r, err = readmodel.CheckAfter(r); err != nil {
		return reply, err
	}
	err = s.read(ctx, "events after an offset", func(tx *snapshot) error {
		reply.Checkpoint = tx.checkpoint
		names, err := tx.expand(r.Conversations, r.Offset, r.Limit+1)
		if err != nil {
			return err
		}
		found, err := tx.pick(names, r.Offset, r.Limit+1)
		if err != nil {
			return err
		}
		more := len(found) > r.Limit
		events, err := tx.readPicked(found[:min(len(found), r.Limit)], r.Offset)
		if err != nil {
			return err
		}
		n := readmodel.Cut(events)
		reply.Events, reply.Through = events[:n], readmodel.Reach(events, n, more, tx.checkpoint.Offset)
		return nil
	})
	return reply, err
}

// picked is the place of one event: which conversation, and where.
type picked struct {
	offset       int64
	conversation string
}

// expand puts in the place of an inbox those of its conversations that can hold
// one of its first n events after an offset, and names each conversation once.
func (s *snapshot) expand(topics []subject.Conversation, after uint64, n int) (names []string, err error) {
	seen := make(map[string]bool, len(topics))
	for _, topic := range topics {
		some := []string{topic.String()}
		if user, is := topic.InboxOf(); is {
			if some, err = collect(s, scanName, s.inbox, user, int64(after), n); err != nil {
				return nil, err
			}
		}
		for _, name := range some {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// pick finds the first n events after an offset in a set of conversations.
// Once n are known, only what comes before the last of them is of interest in
// the conversations that follow.
func (s *snapshot) pick(names []string, after uint64, n int) (found []picked, err error) {
	statement := s.tx.StmtContext(s.ctx, s.offsets)
	last := int64(s.checkpoint.Offset)
	for _, name := range names {
		rows, err := statement.QueryContext(s.ctx, name, int64(after), last, n)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			p := picked{conversation: name}
			if err := rows.Scan(&p.offset); err != nil {
				return nil, errors.Join(err, rows.Close())
			}
			found = append(found, p)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
		if len(found) >= n {
			slices.SortFunc(found, func(a, b picked) int { return cmp.Compare(a.offset, b.offset) })
			found = found[:n]
			last = found[n-1].offset
		}
	}
	slices.SortFunc(found, func(a, b picked) int { return cmp.Compare(a.offset, b.offset) })
	return found, nil
}

// readPicked reads the rows of what pick found, in ascending offset. In each
// conversation that is everything from after to the last one picked.
func (s *snapshot) readPicked(found []picked, after uint64) ([]event.Event, error) {
	last := make(map[string]int64)
	for _, p := range found {
		last[p.conversation] = p.offset
	}
	events := make([]event.Event, 0, len(found))
	for conversation, through := range last {
		some, err := s.events(s.span, conversation, int64(after), through)
		if err != nil {
			return nil, err
		}
		events = append(events, some...)
	}
	slices.SortFunc(events, func(a, b event.Event) int { return cmp.Compare(a.Offset, b.Offset) })
	return events, nil
}
