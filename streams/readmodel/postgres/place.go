package postgres

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

const (
	// connectTimeout bounds how long a connection may take to be made, unless the URL says it.
	connectTimeout = 5 * time.Second
	// idleTimeout ends connections that have not been needed for a while.
	idleTimeout = 5 * time.Minute
	// grace is what this process waits for an answer beyond the time in which the server gives up.
	grace = 2 * time.Second
)

// session is what the connections of one purpose are set to.
type session struct {
	purpose   string            // in the server's list of connections
	statement time.Duration     // bounds each statement
	settings  map[string]string // besides
}

var (
	// A writer that has stopped in the middle of a transaction must not keep the one that takes over from writing.
	writing = session{"persister", 20 * time.Second, map[string]string{
		"synchronous_commit": "on", "idle_in_transaction_session_timeout": "5s", "lock_timeout": "10s",
	}}
	// No question reads a table whole, whatever the planner knows of a table that has just been filled.
	asking = session{"questions", 10 * time.Second, map[string]string{
		"default_transaction_read_only": "on", "idle_in_transaction_session_timeout": "10s", "enable_seqscan": "off",
	}}
	auditing = session{"audit", 30 * time.Minute, map[string]string{
		"default_transaction_read_only": "on", "enable_seqscan": "off",
	}}
	migrating = session{"migration", time.Hour, map[string]string{"lock_timeout": "10min"}}
)

// place is a database on a server.
type place struct{ config *pgxpool.Config }

func parse(url string) (*place, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil { // the password is not in it
		return nil, fault.New("read database.url", fault.Permanent, err)
	}
	if !strings.Contains(url, "connect_timeout=") {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	config.MaxConnIdleTime = idleTimeout
	return &place{config}, nil
}

// name is the place without the password.
func (p *place) name() string {
	c := p.config.ConnConfig
	return fmt.Sprintf("PostgreSQL database %q at %s", c.Database, net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
}

// connection are the settings of one connection.
func (p *place) connection(s session) *pgx.ConnConfig {
	c := p.config.ConnConfig.Copy()
	s.apply(c)
	return c
}

// pool makes a pool of so many connections. They are made when they are needed.
func (p *place) pool(connections int32, s session) (*pgxpool.Pool, error) {
	c := p.config.Copy()
	c.MaxConns, c.MinConns, c.MinIdleConns = connections, 0, 0
	s.apply(c.ConnConfig)
	return pgxpool.NewWithConfig(context.Background(), c) // it ends with Close
}

func (s *session) apply(c *pgx.ConnConfig) {
	c.RuntimeParams["application_name"] = "tidemark " + s.purpose
	c.RuntimeParams["statement_timeout"] = strconv.FormatInt(s.statement.Milliseconds(), 10)
	c.RuntimeParams["jit"] = "off" // statements are short
	for name, value := range s.settings {
		c.RuntimeParams[name] = value
	}
}
