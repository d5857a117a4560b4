package stat

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// Report is what was counted, as it is written. Lists are sorted by the number of events, the most first; days by date.
type Report struct {
	Log       Log      `json:"log"`
	Events    uint64   `json:"events"`       // of those selected: all below, and these
	Newer     uint64   `json:"newerSchemas"` // of the events: they are counted as what they say they are, which is not checked
	Damaged   uint64   `json:"damaged"`
	Missing   uint64   `json:"missing"` // offsets at which the log holds nothing
	First     *Moment  `json:"first"`   // event; null if there is none
	Last      *Moment  `json:"last"`
	Types     []Type   `json:"types"` // of more than maxTypes the later ones together, as "others"
	Days      []Day    `json:"days"`  // with events, in UTC
	Rooms     Rooms    `json:"rooms"`
	Direct    Direct   `json:"direct"`
	Senders   Senders  `json:"senders"`
	Content   Content  `json:"content"`
	ReadModel Progress `json:"readModel"`  // the persister's checkpoint
	Signed    Progress `json:"checkpoint"` // the newest signed checkpoint
}

// Log is the whole log, whatever was selected of it.
type Log struct {
	First uint64 `json:"first"` // offsets
	Last  uint64 `json:"last"`
	Bytes uint64 `json:"bytes"` // in the server's files
	Epoch string `json:"epoch"`
}

// Type is a type of events.
type Type struct {
	Name   event.Type `json:"type"`
	Events uint64     `json:"events"`
}

// Day is a day, 2006-01-02.
type Day struct {
	Date   string `json:"date"`
	Events uint64 `json:"events"`
}

// Rooms are the busiest rooms, of so many.
type Rooms struct {
	Count int    `json:"count"`
	Top   []Room `json:"top"`
}

// Room is a room.
type Room struct {
	Name   string `json:"room"`
	Events uint64 `json:"events"`
	Bytes  uint64 `json:"bytes"` // of content
}

// Direct are the busiest direct conversations, of so many.
type Direct struct {
	Count int    `json:"count"`
	Top   []Pair `json:"top"`
}

// Pair is a direct conversation.
type Pair struct {
	Conversation string  `json:"conversation"` // dm:<hash>
	Users        [2]User `json:"users"`
	Events       uint64  `json:"events"`
	Bytes        uint64  `json:"bytes"`
}

// User is a user by id, and by name where one is known.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Senders are those who have said most, of so many; guests, who have no id, are one.
type Senders struct {
	Count  int      `json:"count"` // without guests
	Guests Guests   `json:"guests"`
	Top    []Sender `json:"top"`
}

// Guests are all events without a sender.
type Guests struct {
	Events uint64 `json:"events"`
	Bytes  uint64 `json:"bytes"`
}

// Sender is a user who has said something.
type Sender struct {
	User
	Events uint64 `json:"events"`
	Bytes  uint64 `json:"bytes"`
}

// Content tells the sizes of contents, in bytes. Registrations have none and are left out.
type Content struct {
	P50   uint64 `json:"p50"` // to a thousandth
	P99   uint64 `json:"p99"`
	Max   uint64 `json:"max"`
	Total uint64 `json:"total"`
}

// Progress is how far somebody is who works through the log.
type Progress struct {
	Known  bool       `json:"known"`
	Reason string     `json:"reason,omitempty"` // why it is not known
	Offset uint64     `json:"offset"`           // everything up to here is dealt with
	At     *time.Time `json:"at"`               // the persister: of that event; the notary: when it signed
	Behind uint64     `json:"behind"`           // events of the log that it has not dealt with
}

// Report sums up, with at most top entries of each list; 0: all.
func (c *Counts) Report(state eventlog.State, top int) Report {
	r := Report{
		Log:    Log{state.First, state.Last, state.Bytes, state.Epoch},
		Events: c.events, Newer: c.newer, Damaged: c.damaged, Missing: c.missing,
		Types: c.typeList(), Days: c.dayList(),
		Rooms:   Rooms{len(c.rooms), limit(c.roomList(), top)},
		Direct:  Direct{len(c.direct), limit(c.pairList(), top)},
		Senders: Senders{len(c.senders), Guests{c.guests.events, c.guests.bytes}, limit(c.senderList(), top)},
	}
	if c.events > 0 {
		r.First, r.Last = &c.first, &c.last
	}
	if c.sizes.TotalCount() > 0 {
		r.Content = Content{c.quantile(50), c.quantile(99), c.largest, c.total}
	}
	return r
}

func (c *Counts) quantile(q float64) uint64 {
	return min(uint64(c.sizes.ValueAtQuantile(q)), c.largest)
}

func limit[T any](list []T, top int) []T {
	if top > 0 && len(list) > top {
		return list[:top]
	}
	return list
}

func (c *Counts) typeList() []Type {
	list := make([]Type, 0, len(c.types))
	for name, n := range c.types {
		list = append(list, Type{name, n})
	}
	slices.SortFunc(list, func(a, b Type) int { return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Name, b.Name)) })
	return list
}

func (c *Counts) dayList() []Day {
	list := make([]Day, 0, len(c.days))
	for _, d := range slices.Sorted(maps.Keys(c.days)) {
		list = append(list, Day{date(d).Format(time.DateOnly), c.days[d]})
	}
	return list
}

func date(day int64) time.Time { return time.Unix(day*secondsOfADay, 0).UTC() }

func (c *Counts) roomList() []Room {
	list := make([]Room, 0, len(c.rooms))
	for name, n := range c.rooms {
		list = append(list, Room{name, n.events, n.bytes})
	}
	slices.SortFunc(list, func(a, b Room) int { return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Name, b.Name)) })
	return list
}

func (c *Counts) pairList() []Pair {
	list := make([]Pair, 0, len(c.direct))
	for name, n := range c.direct {
		list = append(list, Pair{"dm:" + name, [2]User{c.user(n.users[0]), c.user(n.users[1])}, n.events, n.bytes})
	}
	slices.SortFunc(list, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Conversation, b.Conversation))
	})
	return list
}

func (c *Counts) senderList() []Sender {
	list := make([]Sender, 0, len(c.senders))
	for id, n := range c.senders {
		list = append(list, Sender{c.user(id), n.events, n.bytes})
	}
	slices.SortFunc(list, func(a, b Sender) int { return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.ID, b.ID)) })
	return list
}

func (c *Counts) user(id string) User { return User{id, c.names[id]} }
