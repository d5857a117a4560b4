package oracle

import (
	"fmt"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
)

// present checks that those who must be there at the end are, with all their connections.
func (c *check) present() {
	if !c.options.Quiet {
		return
	}
	for _, a := range c.run.Actors {
		if there, want := open(a), c.options.Present[a.Name]; there < want {
			c.found.Add(Reached, func() Finding { return absent(a, there, want) })
		}
	}
}

// open is how many connections of an actor are open.
func open(a *history.Actor) (n int) {
	for _, connection := range a.Connections {
		if connection.Closed == 0 {
			n++
		}
	}
	return n
}

// absent is the finding of an actor who has not come back, or not wholly.
func absent(a *history.Actor, there, want int) Finding {
	if len(a.Connections) == 0 {
		return Finding{Actor: a.Name, Connection: -1, Text: a.Name + " never got a connection."}
	}
	last := lastClosed(a)
	if last < 0 {
		return Finding{Actor: a.Name, Connection: -1, Text: fmt.Sprintf("%s never got more than %d of %d connections.", a.Name, there, want)}
	}
	text := a.Name + " has not come back since its last connection"
	if there > 0 {
		text = fmt.Sprintf("%s has only %d of %d connections since another", a.Name, there, want)
	}
	return Finding{
		Actor: a.Name, Connection: last,
		Text:     fmt.Sprintf("%s ended at %s (%s).", text, moment(a.Connections[last].Closed), place(a, last)),
		Timeline: timeline(a, last, len(a.Connections[last].Entries)-1),
	}
}

// lastClosed is the connection of an actor that ended last; -1: none has.
func lastClosed(a *history.Actor) int {
	last, at := -1, time.Duration(0)
	for i, connection := range a.Connections {
		if connection.Closed > at {
			last, at = i, connection.Closed
		}
	}
	return last
}
