package oracle

import (
	"math"
	"slices"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// stay is a time for which a connection was in a room.
//
//	              asked    joined          leaving    left      entries of the connection
//	────────────────┼────────┼────────────────┼─────────┼──────▶
//	  forbidden        what is after    what is after      forbidden
//	                        its head    may still come
type stay struct {
	room        subject.Conversation
	after       uint64 // nothing at or below is sent
	through     uint64 // everything up to here is: the cursor when the client asked to leave
	asked, left int    // entries between which the room's messages may come
	joined      bool   // false: the join was asked for and never answered, so it may or may not be there
}

// certain reports whether everything of the room is to come, as things stand.
func (s *stay) certain() bool { return s.joined && s.through == nowhere }

// always is beyond the entries, and the offsets, of every connection.
const (
	always  = math.MaxInt
	nowhere = math.MaxUint64
)

// stays is when a connection was in which room. begins is the offset after which it is sent what is in its rooms.
func stays(a *history.Actor, connection *history.Connection, begins uint64) (all []stay) {
	rooms := slices.Clone(connection.Rooms)
	if a.User == "" {
		rooms = append(rooms, subject.General.Name)
	}
	for _, name := range rooms {
		if r := room(name); !slices.ContainsFunc(all, func(s stay) bool { return s.room == r }) {
			all = append(all, stay{room: r, after: begins, through: nowhere, asked: -1, left: always, joined: true})
		}
	}
	for name, list := range asked(connection) {
		all = follow(all, connection, room(name), list, begins)
	}
	return all
}

// asked is what a client asked for on a connection, by room, with the answers.
func asked(connection *history.Connection) map[string][]asking {
	all := make(map[string][]asking)
	for i, e := range connection.Entries {
		switch e.Kind {
		case history.JoinAsked, history.LeaveAsked:
			all[e.Room] = append(all[e.Room], asking{entry: i, leave: e.Kind == history.LeaveAsked})
		case history.Joined, history.Left, history.JoinRefused, history.LeaveRefused:
			answer(all[e.Room], i, e)
		}
	}
	return all
}

func room(name string) subject.Conversation {
	return subject.Conversation{Kind: subject.Room, Name: name}
}

// asking is a join or a leave that a client asked for.
type asking struct {
	entry    int
	leave    bool
	answered int    // entry; 0: it was not
	head     uint64 // of a join
	refused  bool
}

// answer gives an answer to what it answers: the gateway takes what a client asks for in order.
func answer(list []asking, entry int, e history.Entry) {
	leave := e.Kind == history.Left || e.Kind == history.LeaveRefused
	fits := func(a asking) bool { return a.leave == leave && a.answered == 0 }
	after := len(list)
	for after > 0 && list[after-1].answered == 0 {
		after--
	}
	i := slices.IndexFunc(list[after:], fits)
	if i += after; i < after {
		i = slices.IndexFunc(list, fits) // late
	}
	if i >= 0 {
		list[i].answered, list[i].head = entry, e.Offset
		list[i].refused = e.Kind == history.JoinRefused || e.Kind == history.LeaveRefused
	}
}

// follow adds to the stays what was asked for in one room. What was refused changes nothing. What was never answered may
// have been done or not, until a later answer makes that certain.
func follow(all []stay, connection *history.Connection, r subject.Conversation, list []asking, begins uint64) []stay {
	current := slices.IndexFunc(all, func(s stay) bool { return s.room == r })
	for _, ask := range list {
		switch {
		case ask.refused:
		case !ask.leave && (current < 0 || ask.answered > 0 && !all[current].certain()):
			if current >= 0 {
				all[current].left = ask.answered
			}
			s := stay{room: r, after: ask.head, through: nowhere, asked: ask.entry, left: always, joined: ask.answered > 0}
			all, current = append(all, s), len(all)
		case ask.leave && current >= 0:
			s := &all[current]
			s.through = min(s.through, cursorAt(connection, ask.entry, begins))
			if ask.answered > 0 {
				s.left = ask.answered
				current = -1
			}
		}
	}
	return all
}

// cursorAt is up to where a connection had been sent everything before one of its entries.
func cursorAt(connection *history.Connection, entry int, begins uint64) (cursor uint64) {
	if begins != nowhere {
		cursor = begins
	}
	for i := range connection.Entries[:entry] {
		cursor = max(cursor, claim(&connection.Entries[i]))
	}
	return cursor
}

// in finds how a connection is in a room at one of its entries.
func in(all []stay, r subject.Conversation, entry int) (s stay, ok bool) {
	for _, s := range all {
		if s.room == r && s.asked < entry && entry < s.left {
			return s, true
		}
	}
	return stay{}, false
}
