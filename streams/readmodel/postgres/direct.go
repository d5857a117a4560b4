package postgres

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	noteSQL = `INSERT INTO direct (user_id, conversation, last) SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[])
		ON CONFLICT (sha256(user_id), conversation) DO UPDATE SET last = excluded.last`

	// Of an inbox, the conversations whose news begin first: what is left out
	// has nothing before the first news of each of these.
	inboxSQL = `SELECT d.conversation FROM direct d
		CROSS JOIN LATERAL (
			SELECT m."offset" FROM messages m
			WHERE (sha256(m.conversation), m."offset") > (sha256(d.conversation), $2::bigint)
			ORDER BY sha256(m.conversation), m."offset" LIMIT 1
		) news
		WHERE sha256(d.user_id) = sha256($1) AND d.last > $2 ORDER BY news."offset" LIMIT $3`
	newestDirectSQL = `SELECT conversation FROM direct WHERE sha256(user_id) = sha256($1) ORDER BY last DESC LIMIT $2`
)

// membership is the key of the table direct.
type membership struct{ user, conversation string }

// lasts finds, for each user and direct conversation among some messages, the
// last offset, leaving out the messages that were refused.
func lasts(messages []readmodel.Row, refused []readmodel.DeadLetter) map[membership]uint64 {
	found := make(map[membership]uint64)
	for i := range messages {
		e := &messages[i].Event
		if e.Conversation.Kind != subject.DM ||
			slices.ContainsFunc(refused, func(d readmodel.DeadLetter) bool { return d.Offset == e.Offset }) {
			continue
		}
		for _, topic := range e.Topics() {
			if user, is := topic.InboxOf(); is {
				found[membership{user, e.Conversation.String()}] = e.Offset
			}
		}
	}
	return found
}

// note writes what lasts has found, in the order of the key.
func (w *writer) note(found map[membership]uint64) error {
	if len(found) == 0 {
		return nil
	}
	var users, conversations [][]byte
	var last []int64
	sorted := slices.SortedFunc(maps.Keys(found), func(a, b membership) int {
		return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.conversation, b.conversation))
	})
	for _, m := range sorted {
		users, conversations = append(users, []byte(m.user)), append(conversations, []byte(m.conversation))
		last = append(last, int64(found[m]))
	}
	_, err := w.tx.Exec(w.ctx, noteSQL, users, conversations, last)
	return err
}

// Direct implements query.Model. It reads no more conversations than go into
// the answer.
func (s *Store) Direct(ctx context.Context, r query.DirectRequest) (reply query.DirectReply, err error) {
	if err := readmodel.CheckDirect(r); err != nil {
		return reply, err
	}
	err = s.read(ctx, "direct conversations", func(tx *snapshot) error {
		reply.Checkpoint = tx.checkpoint
		conversations, err := collect(tx, scanName, newestDirectSQL, []byte(r.User), r.Conversations)
		if err != nil {
			return err
		}
		reply.Events, err = tx.latest(conversations, r.Messages)
		return err
	})
	return reply, err
}

// latest reads the newest n messages of each conversation, as many as one answer
// holds.
func (s *snapshot) latest(conversations []string, n int) ([]event.Event, error) {
	var budget readmodel.Budget
	events := []event.Event{} // as JSON a list, also when empty
	for _, conversation := range conversations {
		some, err := collect(s, scanEvent, pageSQL, []byte(conversation), int64(math.MaxInt64), n)
		if err != nil {
			return nil, err
		}
		some = readmodel.Share(some, len(conversations))
		for i := range some {
			if !budget.Take(&some[i]) {
				return events, nil
			}
			events = append(events, some[i])
		}
	}
	return events, nil
}

func scanName(row pgx.CollectableRow) (name string, err error) {
	var text []byte
	err = row.Scan(&text)
	return string(text), err
}
