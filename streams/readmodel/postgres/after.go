package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	// conversationsAtOnce are asked for by one statement, of which each may give as many events as the whole answer holds.
	conversationsAtOnce = 100

	// The first events of each conversation in a span of offsets, and of those the first.
	afterSQL = `SELECT m.* FROM unnest($1::bytea[]) AS asked (conversation)
		CROSS JOIN LATERAL (` + selectSQL + `
			WHERE (sha256(messages.conversation), "offset") > (sha256(asked.conversation), $2::bigint)
				AND (sha256(messages.conversation), "offset") <= (sha256(asked.conversation), $3::bigint)
			ORDER BY sha256(messages.conversation), "offset" LIMIT $4
		) m ORDER BY m."offset" LIMIT $4`
)

// After implements query.Model. It first finds out what an inbox stands for.
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
		events, err := tx.first(names, r.Offset, r.Limit+1)
		if err != nil {
			return err
		}
		more := len(events) > r.Limit
		events = events[:min(len(events), r.Limit)]
		n := readmodel.Cut(events)
		reply.Events, reply.Through = events[:n], readmodel.Reach(events, n, more, tx.checkpoint.Offset)
		return nil
	})
	return reply, err
}

// expand puts in the place of an inbox those of its conversations that can hold
// one of its first n events after an offset, and names each conversation once.
func (s *snapshot) expand(topics []subject.Conversation, after uint64, n int) (names []string, err error) {
	seen := make(map[string]bool, len(topics))
	for _, topic := range topics {
		some := []string{topic.String()}
		if user, is := topic.InboxOf(); is {
			if some, err = collect(s, scanName, inboxSQL, []byte(user), int64(after), n); err != nil {
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

// first reads the first n events after an offset in a set of conversations, in ascending offset.
// Once n are known, only what comes before the last of them is of interest in
// the conversations that follow.
func (s *snapshot) first(names []string, after uint64, n int) ([]event.Event, error) {
	events := []event.Event{} // as JSON a list, also when empty
	last := s.checkpoint.Offset
	for some := range slices.Chunk(names, conversationsAtOnce) {
		found, err := collect(s, scanEvent, afterSQL, texts(some), int64(after), int64(last), n)
		if err != nil {
			return nil, err
		}
		events = append(events, found...)
		slices.SortFunc(events, func(a, b event.Event) int { return cmp.Compare(a.Offset, b.Offset) })
		if len(events) >= n {
			events = events[:n]
			last = events[n-1].Offset
		}
	}
	return events, nil
}
