package oracle

import (
	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// begins is the offset after which a connection is to be sent everything; nowhere if that cannot be told.
func (c *check) begins(a *history.Actor, connection *history.Connection) uint64 {
	told := toldOf(connection)
	said, fixed := c.said(a, connection)
	switch {
	case told == nil && fixed && !c.mayBeResynchronised(connection):
		return said
	case told == nil:
		return beforeFirst(connection)
	case fixed && (told.Recovered || !c.mayBeResynchronised(connection)):
		return said // also if it was told otherwise, which is a finding
	}
	return told.From
}

// said is the offset that a connection began with by what its client said; false if it left that to the gateway.
func (c *check) said(a *history.Actor, connection *history.Connection) (offset uint64, ok bool) {
	switch {
	case connection.From != nil:
		return *connection.From, true
	case connection.Latest || a.User != "":
		return 0, false
	}
	return 0, true
}

// mayBeResynchronised reports whether a client said something for which it may be sent everything from the beginning:
// an offset of another epoch, or one that nobody had heard of.
func (c *check) mayBeResynchronised(connection *history.Connection) bool {
	return c.otherEpoch(connection) || c.aheadOfLog(connection)
}

func (c *check) otherEpoch(connection *history.Connection) bool {
	return connection.From != nil && *connection.From > 0 && connection.Epoch != "" && connection.Epoch != c.epoch
}

func (c *check) aheadOfLog(connection *history.Connection) bool {
	return connection.From != nil && *connection.From > max(c.log.After, c.knownAt(connection.Opened))
}

// toldOf is the first recovery of a connection, or nil.
func toldOf(connection *history.Connection) *history.Recovery {
	for i := range connection.Entries {
		if connection.Entries[i].Kind == history.Recovered {
			return connection.Entries[i].Recovery
		}
	}
	return nil
}

// beforeFirst is the offset before the first message of a connection: without knowing where it begins, that much is
// known of it.
func beforeFirst(connection *history.Connection) uint64 {
	for i := range connection.Entries {
		if e := &connection.Entries[i]; e.Kind == history.Received {
			return e.Message.Offset - 1
		}
	}
	return nowhere
}
