package postgres_test

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/tidemark-chat/tidemark/streams/fault"
	"github.com/tidemark-chat/tidemark/streams/readmodel"
	"github.com/tidemark-chat/tidemark/streams/readmodel/modeltest"
	"github.com/tidemark-chat/tidemark/streams/readmodel/postgres"
)

// as is a URL with another role, whose password is hush.
func as(t *testing.T, database, role string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "hush")
	return u.String()
}

func TestWhatAnOperatorMustPutRightIsPermanentAndSaysWhat(t *testing.T) {
	there := database(t)
	execute(t, there, `CREATE ROLE lodger LOGIN PASSWORD 'hush'`)
	for name, test := range map[string]struct{ url, says string }{
		"password": {as(t, there, "postgres"), "the role or its password in database.url is not accepted"},
		"role":     {as(t, there, "nobody"), "the role or its password in database.url is not accepted"},
		"database": {strings.Replace(there, "/postgres?", "/nowhere?", 1), "create it, or correct database.url"},
		"right":    {as(t, there, "lodger"), "the role lacks a right"},
		"url":      {"postgres://u:hush@h:port/d", "database.url"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := postgres.Open(t.Context(), test.url)
			wantRefused(t, err, test.says)
		})
	}
	_, err := postgres.OpenReader(t.Context(), there)
	wantRefused(t, err, postgres.ErrNoTables.Error())
	execute(t, there, `CREATE TABLE users (id text)`)
	_, err = postgres.OpenReader(t.Context(), there)
	wantRefused(t, err, "not a read model")
}

func TestARoleThatMayOnlyReadIsEnoughForAReader(t *testing.T) {
	there := database(t)
	modeltest.Project(t, open(t, there), modeltest.Event(1, modeltest.Room("a"), "x"))
	schema := there[strings.LastIndex(there, "=")+1:]
	execute(t, there, `CREATE ROLE guest LOGIN PASSWORD 'hush'; GRANT USAGE ON SCHEMA `+schema+` TO guest; GRANT SELECT ON ALL TABLES IN SCHEMA `+schema+` TO guest`)
	r := openReader(t, as(t, there, "guest"))
	if p, err := r.Position(t.Context()); p.Offset != 1 || err != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if same, err := postgres.Same(t.Context(), as(t, there, "guest"), there); !same || err != nil {
		t.Errorf("same: %v, %v", same, err)
	}
	_, err := postgres.Open(t.Context(), as(t, there, "guest"))
	wantRefused(t, err, "the role lacks a right")
}

func TestAServerThatIsAwayIsTemporary(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close() // nobody is there any more
	_, err = postgres.Open(t.Context(), fmt.Sprintf("postgres://u:hush@%s/d", listener.Addr()))
	if !fault.Is(err, fault.Temporary) || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), listener.Addr().String()) {
		t.Errorf("%v", err)
	}
}

func TestAReplicaIsTemporaryAndTablesThatAreGoneAreCorrupt(t *testing.T) {
	there := database(t)
	s := open(t, there)
	modeltest.Project(t, s, modeltest.Event(1, modeltest.Room("a"), "x"))
	p, err := s.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next := modeltest.Batch(p, modeltest.Event(2, modeltest.Room("a"), "x"))
	role := "test_replica"
	execute(t, there, `CREATE ROLE `+role+` SUPERUSER LOGIN PASSWORD 'hush'; ALTER ROLE `+role+` SET default_transaction_read_only = on`)
	replica := open(t, as(t, there, role))
	if _, err := replica.Append(t.Context(), next); !fault.Is(err, fault.Temporary) {
		t.Errorf("%v", err)
	}
	execute(t, there, `DROP TABLE dead_letter`)
	next.DeadLetters = []readmodel.DeadLetter{{Offset: 2, Through: 2, Reason: "gone"}}
	if _, err := s.Append(t.Context(), next); !fault.Is(err, fault.Corrupt) {
		t.Errorf("%v", err)
	}
	execute(t, there, `DELETE FROM checkpoint`)
	if _, err := s.Position(t.Context()); !fault.Is(err, fault.Corrupt) {
		t.Errorf("%v", err)
	}
}
