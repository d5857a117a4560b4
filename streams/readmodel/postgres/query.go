package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// A span of a conversation is one of pairs, and not an equality beside a span of offsets: so it can only be found, and be in order, by
// the index of both. With an index of offsets the planner may otherwise walk the whole log to find a room of a few messages.
const (
	positionSQL = `SELECT "offset", at, epoch, digest FROM checkpoint`
	selectSQL   = `SELECT conversation, "offset", id, at, sender, sender_name, recipient, scope, "key", content, digest FROM messages `
	pageSQL     = selectSQL + `WHERE (sha256(conversation), "offset") < (sha256($1), $2) AND (sha256(conversation), "offset") >= (sha256($1), 0)
		ORDER BY sha256(conversation) DESC, "offset" DESC LIMIT $3`
	lookupSQL = selectSQL + `WHERE sha256(scope) = sha256($1) AND sha256("key") = sha256($2) AND "key" IS NOT NULL`
)

// Position implements readmodel.Store.
func (s *Store) Position(ctx context.Context) (readmodel.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, asking.statement+grace)
	defer cancel()
	p, err := scanPosition(s.reader.QueryRow(ctx, positionSQL))
	return p, s.failed(ctx, "read the checkpoint", err)
}

// Checkpoint implements query.Model.
func (s *Store) Checkpoint(ctx context.Context) (query.Checkpoint, error) {
	p, err := s.Position(ctx)
	return checkpointOf(p), err
}

// Page implements query.Model.
func (s *Store) Page(ctx context.Context, r query.PageRequest) (reply query.PageReply, err error) {
	if r, err = readmodel.CheckPage(r); err != nil {
		return reply, err
	}
	err = s.read(ctx, "page of a conversation", func(tx *snapshot) error {
		reply.Checkpoint = tx.checkpoint
		events, err := collect(tx, scanEvent, pageSQL, []byte(r.Conversation.String()), int64(r.Before), r.Limit+1)
		if err != nil {
			return err
		}
		n := readmodel.Cut(events[:min(len(events), r.Limit)])
		reply.Events, reply.More = events[:n], n < len(events)
		return nil
	})
	return reply, err
}

// Lookup implements query.Model.
func (s *Store) Lookup(ctx context.Context, r query.LookupRequest) (reply query.LookupReply, err error) {
	if err := readmodel.CheckLookup(r); err != nil {
		return reply, err
	}
	err = s.read(ctx, "look up a key", func(tx *snapshot) error {
		reply.Checkpoint = tx.checkpoint
		events, err := collect(tx, scanEvent, lookupSQL, []byte(r.Scope), []byte(r.Key))
		if err == nil && len(events) > 0 {
			reply.Event = &events[0]
		}
		return err
	})
	return reply, err
}

// snapshot is one read transaction. What it reads is the read model exactly as
// it was at its checkpoint.
type snapshot struct {
	ctx        context.Context
	tx         pgx.Tx
	checkpoint query.Checkpoint
}

func (s *Store) read(ctx context.Context, op string, ask func(*snapshot) error) error {
	ctx, cancel := context.WithTimeout(ctx, asking.statement+grace)
	defer cancel()
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return s.failed(ctx, op, pgx.BeginTxFunc(ctx, s.reader, options, func(tx pgx.Tx) error {
		p, err := scanPosition(tx.QueryRow(ctx, positionSQL))
		if err != nil {
			return err
		}
		return ask(&snapshot{ctx: ctx, tx: tx, checkpoint: checkpointOf(p)})
	}))
}

// collect runs a statement and scans each row. The slice is never nil, so that
// an empty answer is an empty list as JSON too.
func collect[T any](s *snapshot, scan func(pgx.CollectableRow) (T, error), statement string, args ...any) (list []T, err error) {
	rows, err := s.tx.Query(s.ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

func scanEvent(row pgx.CollectableRow) (event.Event, error) {
	e := event.Event{Schema: event.Schema, Type: event.Posted} // the only ones in the table
	var conversation, id, sender, senderName, recipient, scope, key, content, digest []byte
	var at int64
	if err := row.Scan(&conversation, &e.Offset, &id, &at, &sender, &senderName, &recipient, &scope, &key, &content, &digest); err != nil {
		return e, err
	}
	e.ID, e.At, e.Scope, e.Key, e.Content = string(id), timeOf(at), string(scope), string(key), string(content)
	e.Sender, e.SenderName, e.Recipient = string(sender), string(senderName), string(recipient)
	var err error
	if e.Conversation, err = subject.ParseConversation(string(conversation)); err != nil {
		return e, err
	}
	return e, e.Digest.UnmarshalText(digest)
}

// scanPosition reads the checkpoint. One that is missing or no checkpoint is Corrupt.
func scanPosition(row pgx.Row) (p readmodel.Position, err error) {
	const op = "checkpoint"
	var offset, at int64
	var epoch, digest []byte
	if err := row.Scan(&offset, &at, &epoch, &digest); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			return p, fault.New(op, fault.Corrupt, errors.New("there is none"))
		}
		return p, err
	}
	if offset < 0 {
		return p, fault.Errorf(op, fault.Corrupt, "its offset is %d", offset)
	}
	p.Offset, p.At, p.Epoch = uint64(offset), timeOf(at), string(epoch)
	p.Digest, err = parseDigest(digest)
	return p, fault.New(op, fault.Corrupt, err)
}

func checkpointOf(p readmodel.Position) query.Checkpoint {
	return query.Checkpoint{Offset: p.Offset, At: p.At, Epoch: p.Epoch}
}
