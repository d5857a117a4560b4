package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	positionSQL = `SELECT "offset", at, epoch, digest FROM checkpoint`
	selectSQL   = `SELECT conversation, "offset", id, at, sender, sender_name, recipient, scope, "key", content, digest FROM messages `
)

type queryStatements struct {
	position, offsets, span, page, seek, lookup *sql.Stmt
	inbox, newestDirect, newestUsers, usersByID *sql.Stmt
}

func prepareQueries(ctx context.Context, db *sql.DB) (s queryStatements, err error) {
	err = prepare(ctx, db, questions(&s))
	return s, err
}

// questions is the text of each statement, by where it belongs.
func questions(s *queryStatements) map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&s.position: positionSQL,
		&s.offsets:  `SELECT "offset" FROM messages WHERE conversation = ? AND "offset" > ? AND "offset" <= ? ORDER BY "offset" LIMIT ?`,
		&s.span:     selectSQL + `WHERE conversation = ? AND "offset" > ? AND "offset" <= ? ORDER BY "offset"`,
		&s.page:     selectSQL + `WHERE conversation = ? AND "offset" < ? ORDER BY "offset" DESC LIMIT ?`,
		&s.seek:     seekSQL,
		&s.lookup:   selectSQL + `WHERE scope = ? AND "key" = ?`,

		&s.inbox:        inboxSQL,
		&s.newestDirect: newestDirectSQL,

		&s.newestUsers: selectUsersSQL + `ORDER BY "offset" DESC LIMIT ?`,
		&s.usersByID:   selectUsersSQL + `WHERE id IN ` + places(idsAtOnce, 1),
	}
}

// Position implements readmodel.Store.
func (s *Store) Position(ctx context.Context) (readmodel.Position, error) {
	p, err := scanPosition(s.queries.position.QueryRowContext(ctx))
	return p, failed("read the checkpoint", err)
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
		events, err := tx.events(tx.page, r.Conversation.String(), int64(r.Before), r.Limit+1)
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
		events, err := tx.events(tx.lookup, r.Scope, r.Key)
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
	ctx context.Context
	tx  *sql.Tx
	queryStatements
	checkpoint query.Checkpoint
}

func (s *Store) read(ctx context.Context, op string, ask func(*snapshot) error) error {
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return failed(op, err)
	}
	defer func() { _ = tx.Rollback() }() // it has written nothing
	p, err := scanPosition(tx.StmtContext(ctx, s.queries.position).QueryRowContext(ctx))
	if err != nil {
		return failed(op, err)
	}
	return failed(op, ask(&snapshot{ctx: ctx, tx: tx, queryStatements: s.queries, checkpoint: checkpointOf(p)}))
}

// collect runs a statement and scans each row. The slice is never nil, so that
// an empty answer is an empty list as JSON too.
func collect[T any](s *snapshot, scan func(*sql.Rows) (T, error), statement *sql.Stmt, args ...any) (list []T, err error) {
	rows, err := s.tx.StmtContext(s.ctx, statement).QueryContext(s.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	list = []T{}
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, rows.Err()
}

// events runs a statement that selects messages.
func (s *snapshot) events(statement *sql.Stmt, args ...any) ([]event.Event, error) {
	return collect(s, scanEvent, statement, args...)
}

func scanEvent(rows *sql.Rows) (event.Event, error) {
	e := event.Event{Schema: event.Schema, Type: event.Posted} // the only ones in the table
	var conversation, digest string
	var key sql.NullString
	var at int64
	err := rows.Scan(&conversation, &e.Offset, &e.ID, &at, &e.Sender, &e.SenderName, &e.Recipient, &e.Scope, &key, &e.Content, &digest)
	if err != nil {
		return e, err
	}
	e.At, e.Key = timeOf(at), key.String
	if e.Conversation, err = subject.ParseConversation(conversation); err != nil {
		return e, err
	}
	return e, e.Digest.UnmarshalText([]byte(digest))
}

func scanPosition(row interface{ Scan(...any) error }) (p readmodel.Position, err error) {
	var at int64
	var digest string
	if err := row.Scan(&p.Offset, &at, &p.Epoch, &digest); err != nil {
		return p, fmt.Errorf("checkpoint: %w", err)
	}
	p.At = timeOf(at)
	p.Digest, err = parseDigest(digest)
	return p, err
}

func checkpointOf(p readmodel.Position) query.Checkpoint {
	return query.Checkpoint{Offset: p.Offset, At: p.At, Epoch: p.Epoch}
}
