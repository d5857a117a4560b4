package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/tidemark-chat/tidemark/streams/query"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
)

const (
	registerSQL = `INSERT INTO users (id, name, "offset", at)
		SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[]) AS event (id, name, "offset") ORDER BY event."offset"
		ON CONFLICT (sha256(id)) DO NOTHING RETURNING "offset"`
	earlierSQL = `SELECT event."offset" FROM unnest($1::bytea[], $2::bigint[]) AS event (id, "offset")
		JOIN users u ON sha256(u.id) = sha256(event.id) AND u."offset" < event."offset"`

	newestUsersSQL = `SELECT id, name, "offset", at FROM users ORDER BY "offset" DESC LIMIT $1`
	usersByIDSQL   = `SELECT id, name, "offset", at FROM users
		WHERE sha256(id) IN (SELECT DISTINCT sha256(id) FROM unnest($1::bytea[]) AS asked (id)) ORDER BY "offset" DESC`
)

// register writes users and returns those whose id was taken.
func (w *writer) register(users []readmodel.Row) (refused []readmodel.DeadLetter, err error) {
	if len(users) == 0 {
		return nil, nil
	}
	var offset, at []int64
	var id, name [][]byte
	for i := range users {
		e := &users[i].Event
		id, name = append(id, []byte(e.Sender)), append(name, []byte(e.SenderName))
		offset, at = append(offset, int64(e.Offset)), append(at, readmodel.Nanoseconds(e.At))
	}
	written, err := w.offsets(registerSQL, id, name, offset, at)
	if err != nil || len(written) == len(users) {
		return nil, err
	}
	earlier, err := w.offsets(earlierSQL, id, offset)
	if err != nil {
		return nil, err
	}
	for i := range users {
		switch offset := users[i].Event.Offset; {
		case written[offset]:
		case earlier[offset]:
			refused = append(refused, users[i].DeadLetter(readmodel.ReasonUserTaken))
		default:
			return nil, beyond("write users")
		}
	}
	return refused, nil
}

// Users implements query.Model.
func (s *Store) Users(ctx context.Context, r query.UsersRequest) (reply query.UsersReply, err error) {
	if err := readmodel.CheckUsers(r); err != nil {
		return reply, err
	}
	err = s.read(ctx, "users", func(tx *snapshot) error {
		reply.Checkpoint = tx.checkpoint
		users, err := tx.usersFor(r)
		if err != nil {
			return err
		}
		n := readmodel.CutUsers(users)
		reply.Users, reply.Cut = users[:n], n < len(users)
		return nil
	})
	return reply, err
}

// usersFor reads all who are asked for, in descending offset.
func (s *snapshot) usersFor(r query.UsersRequest) (users []query.User, err error) {
	if len(r.IDs) == 0 {
		return collect(s, scanUser, newestUsersSQL, r.Newest)
	}
	return collect(s, scanUser, usersByIDSQL, texts(r.IDs))
}

// texts are texts as the tables hold them.
func texts(list []string) [][]byte {
	as := make([][]byte, len(list))
	for i, text := range list {
		as[i] = []byte(text)
	}
	return as
}

func scanUser(row pgx.CollectableRow) (u query.User, err error) {
	var id, name []byte
	var at int64
	err = row.Scan(&id, &name, &u.Offset, &at)
	u.ID, u.Name, u.At = string(id), string(name), timeOf(at)
	return u, err
}
