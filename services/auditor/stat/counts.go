// Package stat counts what is in a log: how much, when, where and by whom. Its memory grows with the number of rooms, direct
// conversations, users and days, not with the number of events.
package stat

import (
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

// Counts are filled event by event, by one goroutine.
type Counts struct {
	events, newer, damaged, missing uint64
	first, last                     Moment

	types   map[event.Type]uint64
	days    map[int64]uint64 // since 1970, UTC
	rooms   map[string]*count
	direct  map[string]*pair // by the conversation's name
	senders map[string]*count
	guests  count
	names   map[string]string // newest name of each sender and each who registered, by id
	sizes   *hdrhistogram.Histogram
	total   uint64 // bytes of content
	largest uint64
}

// Moment is a place in the log and the time there.
type Moment struct {
	Offset uint64    `json:"offset"`
	At     time.Time `json:"at"`
}

type count struct {
	events, bytes uint64
}

func (c *count) add(bytes int) {
	c.events++
	c.bytes += uint64(bytes)
}

// pair is a direct conversation.
type pair struct {
	count
	users [2]string // ids; the sender of the first message first
}

// largestCounted is up to where sizes are told apart, in steps of a thousandth; the very largest is known exactly.
const largestCounted = 64 << 20

// NewCounts is nothing counted yet.
func NewCounts() *Counts {
	return &Counts{
		types: map[event.Type]uint64{}, days: map[int64]uint64{}, rooms: map[string]*count{}, direct: map[string]*pair{},
		senders: map[string]*count{}, names: map[string]string{}, sizes: hdrhistogram.New(1, largestCounted, 3),
	}
}

// Missing counts offsets at which the log holds nothing.
func (c *Counts) Missing(n uint64) { c.missing += n }

// Damaged counts an event that is not what was sealed. Nothing else is counted of it, because it cannot be relied on.
func (c *Counts) Damaged() { c.damaged++ }

// Add counts an event.
func (c *Counts) Add(e *event.Event) {
	at := Moment{e.Offset, e.At}
	if c.events == 0 {
		c.first = at
	}
	c.last = at
	c.events++
	if e.Schema > event.Schema {
		c.newer++
	}
	add(c.types, e.Type)
	c.days[day(e.At)]++
	c.learn(e.Sender, e.SenderName)
	if e.Type == event.Registered { // which nobody has said
		return
	}
	size := len(e.Content)
	c.measure(size)
	switch e.Conversation.Kind {
	case subject.Room:
		of(c.rooms, e.Conversation.Name).add(size)
	case subject.DM:
		c.pairOf(e).add(size)
	}
	if e.Sender == "" {
		c.guests.add(size)
	} else {
		of(c.senders, e.Sender).add(size)
	}
}

func (c *Counts) measure(size int) {
	c.total += uint64(size)
	c.largest = max(c.largest, uint64(size))
	_ = c.sizes.RecordValue(min(int64(size), largestCounted)) // fails only beyond that
}

func (c *Counts) pairOf(e *event.Event) *pair {
	p := c.direct[e.Conversation.Name]
	if p == nil {
		p = &pair{users: [2]string{strings.Clone(e.Sender), strings.Clone(e.Recipient)}}
		c.direct[strings.Clone(e.Conversation.Name)] = p
	}
	return p
}

func (c *Counts) learn(id, name string) {
	if id != "" && name != "" && c.names[id] != name {
		c.names[strings.Clone(id)] = strings.Clone(name)
	}
}

// of is the entry of a name, made if there is none. A name of an event is part of all of its message, which is not to be kept.
func of(counts map[string]*count, name string) *count {
	n := counts[name]
	if n == nil {
		n = &count{}
		counts[strings.Clone(name)] = n
	}
	return n
}

// maxTypes is how many types are counted by name, those that come first: the names are whatever was appended.
const maxTypes = 32

// others are all further types together.
const others event.Type = "others"

func add(types map[event.Type]uint64, t event.Type) {
	switch _, known := types[t]; {
	case known:
	case len(types) >= maxTypes:
		t = others
	default:
		t = event.Type(strings.Clone(string(t)))
	}
	types[t]++
}

const secondsOfADay = 24 * 60 * 60

// day counts the days since 1970, those before it too.
func day(at time.Time) int64 {
	s := at.Unix()
	if s < 0 {
		s -= secondsOfADay - 1
	}
	return s / secondsOfADay
}
