package oracle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tidemark-chat/tidemark/services/swarm/history"
	"github.com/tidemark-chat/tidemark/services/swarm/oracle"
	"github.com/tidemark-chat/tidemark/streams/event"
	"github.com/tidemark-chat/tidemark/streams/subject"
)

const (
	runID   = "run-1"
	epoch   = "epoch-1"
	gateway = "http://127.0.0.1:3000"
)

// world is a service that keeps the contract, and its clients, as simply as they can be said: everything happens one
// after another. Every seed is another history, and each of them is in order.
type world struct {
	*rand.Rand
	now   time.Duration
	run   *history.Run
	log   oracle.Log
	keys  map[[2]string]int // by scope and key: place in the log
	lines []*wire           // all connections that there ever were
	n     int               // of contents, keys and ids
}

// wire is a connection with what the service knows of it.
type wire struct {
	actor  *history.Actor
	number int
	*history.Connection

	cursor  uint64
	count   uint64
	told    bool // of its recovery
	from    uint64
	lost    string // why it was resynchronised
	since   map[string]uint64
	waiting []func() // answers that are on their way
	made    map[string]bool
}

var rooms = []string{"general", "a", "b", "c"}

// newWorld makes the history of a seed, of so many steps.
func newWorld(seed uint64, steps int) *world {
	w := &world{
		Rand: rand.New(rand.NewPCG(seed, 7)), run: &history.Run{ID: runID}, keys: make(map[[2]string]int),
		log: oracle.Log{Epoch: epoch},
	}
	for i := range 3 {
		w.run.Actors = append(w.run.Actors, &history.Actor{Name: fmt.Sprint("guest-", i), Profile: "guest"})
	}
	for i := range 4 {
		w.run.Actors = append(w.run.Actors, &history.Actor{
			Name: fmt.Sprint("user-", i), Profile: "user", User: fmt.Sprint("u", i), Username: fmt.Sprint("Name ", i),
		})
		w.log.Head++ // its registration
	}
	for range steps {
		w.step()
	}
	w.settle()
	return w
}

func (w *world) step() {
	w.tick()
	switch n := w.IntN(100); {
	case n < 8 || len(w.open()) == 0:
		w.connect(w.run.Actors[w.IntN(len(w.run.Actors))])
	case n < 10:
		w.close(pick(w, w.open()))
	case n < 12:
		w.log.Head++
	case n < 15:
		w.foreign()
	case n < 45:
		w.send(pick(w, w.open()))
	case n < 49:
		w.again(pick(w, w.open()))
	case n < 52:
		w.watermark(pick(w, w.open()))
	case n < 58:
		w.move(pick(w, w.open()))
	case n < 64:
		w.answer(pick(w, w.open()))
	default:
		w.deliver(pick(w, w.open()), 1+w.IntN(6))
	}
}

// settle brings everybody back and everything to everybody.
func (w *world) settle() {
	for _, a := range w.run.Actors {
		if !slices.ContainsFunc(w.open(), func(l *wire) bool { return l.actor == a }) {
			w.connect(a)
		}
	}
	for _, l := range w.open() {
		for len(l.waiting) > 0 {
			w.answer(l)
		}
		w.deliver(l, len(w.log.Messages)+1)
	}
}

func pick[T any](w *world, from []T) T { return from[w.IntN(len(from))] }

func (w *world) tick() time.Duration {
	w.now += time.Duration(1+w.IntN(1000)) * time.Microsecond
	return w.now
}

func (w *world) open() (open []*wire) {
	for _, l := range w.lines {
		if l.Closed == 0 {
			open = append(open, l)
		}
	}
	return open
}

// connect connects an actor in one of the ways in which one may.
func (w *world) connect(a *history.Actor) {
	l := &wire{actor: a, number: len(a.Connections), since: make(map[string]uint64), made: make(map[string]bool)}
	l.Connection = &history.Connection{
		Gateway: gateway, Transport: "websocket", SocketID: fmt.Sprintf("socket%018d", len(w.lines)), Opened: w.tick(),
	}
	for _, r := range rooms {
		if w.IntN(3) == 0 {
			l.Rooms = append(l.Rooms, r)
		}
	}
	w.begin(l)
	for _, r := range l.Rooms {
		l.since[r] = l.from
	}
	if a.User == "" {
		l.since["general"] = l.from
	}
	l.cursor = l.from
	a.Connections = append(a.Connections, l.Connection)
	w.lines = append(w.lines, l)
}

// begin decides what a client says of where it begins, and what it is told.
func (w *world) begin(l *wire) {
	last := l.lastCursor()
	if l.actor.User != "" {
		l.from = w.log.Head
	}
	switch n := w.IntN(12); {
	case n == 0:
		l.Latest, l.from = true, w.log.Head
	case n == 1 && last > 0:
		l.From, l.Epoch, l.from, l.lost = &last, "another", 0, "epoch_changed"
	case n == 2:
		ahead := w.log.Head + 1000000
		l.From, l.from, l.lost = &ahead, 0, "ahead_of_log"
	case n < 10 && last > 0:
		l.From, l.from = &last, last
		if n < 6 {
			l.Epoch = epoch
		}
	}
}

// lastCursor is the cursor that an actor's client remembers.
func (l *wire) lastCursor() (last uint64) {
	for _, c := range l.actor.Connections {
		for _, e := range c.Entries {
			switch e.Kind {
			case history.Received:
				last = max(last, e.Message.Offset)
			case history.Watermark:
				last = max(last, e.Offset)
			}
		}
	}
	return last
}

func (w *world) close(l *wire) { l.Closed, l.Why = w.tick(), "cut" }

func (l *wire) add(e history.Entry) { l.Entries = append(l.Entries, e) }

// foreign is a message of somebody who is not in the run.
func (w *world) foreign() {
	e := oracle.Message{Message: history.Message{From: "stranger", Username: "S", Conversation: in(pick(w, rooms)), Content: "hello"}}
	if w.IntN(2) == 0 {
		to := fmt.Sprint("u", w.IntN(4))
		e.To, e.Conversation = to, pair("stranger", to)
	}
	w.append(&e)
}

func in(room string) subject.Conversation {
	return subject.Conversation{Kind: subject.Room, Name: room}
}

func pair(a, b string) subject.Conversation {
	return subject.Conversation{Kind: subject.DM, Name: subject.PairName(a, b)}
}

func (w *world) append(m *oracle.Message) {
	w.n++
	w.log.Head++
	m.Offset, m.ID, m.At = w.log.Head, fmt.Sprint("id-", w.n), time.Unix(0, 0).Add(w.now).UTC().Format("2006-01-02T15:04:05.000Z")
	w.log.Messages = append(w.log.Messages, *m)
}

// send sends a new message, to wherever its sender may.
func (w *world) send(l *wire) {
	w.n++
	s := &history.Send{Content: fmt.Sprintf("%s message %d", runID, w.n)}
	at := []string{}
	for _, r := range rooms {
		if _, ok := l.since[r]; ok {
			at = append(at, r)
		}
	}
	switch {
	case l.actor.User != "" && (len(at) == 0 || w.IntN(2) == 0):
		s.To = fmt.Sprint("u", w.IntN(4))
		s.Conversation = pair(l.actor.User, s.To)
	case len(at) > 0:
		s.Conversation = in(pick(w, at))
	default:
		return
	}
	switch w.IntN(4) {
	case 0:
	case 1:
		s.Key = fmt.Sprint("undefined-", w.n) // of a guest, good for this connection only
	default:
		s.Key = fmt.Sprintf("%s-%d", l.SocketID, w.n)
	}
	l.actor.Sends = append(l.actor.Sends, s)
	w.try(l, s)
}

// again sends a message a second time, over any connection of its sender.
func (w *world) again(l *wire) {
	if s := pick(w, append(l.actor.Sends, nil)); s != nil && s.Key != "" {
		w.try(l, s)
	}
}

// try is one transmission, which is stored and acked, or either, or refused.
func (w *world) try(l *wire, s *history.Send) {
	t := history.Try{Connection: l.number, At: w.tick()}
	fate := w.IntN(10)
	if fate == 0 {
		t.Answer = &history.Answer{Code: "rate_limited"}
	} else if fate > 1 {
		t.Answer = w.store(l, s)
		if fate == 2 {
			t.Answer = nil
		}
	}
	if t.Answer != nil {
		t.Answer.At = w.tick()
	}
	s.Tries = append(s.Tries, t)
}

func (w *world) store(l *wire, s *history.Send) *history.Answer {
	m := oracle.Message{Message: history.Message{
		Conversation: s.Conversation, From: l.actor.User, Username: l.actor.Username, To: s.To, Content: s.Content, Key: s.Key,
	}}
	if s.Key != "" {
		m.Scope = l.scope(s)
		if i, ok := w.keys[[2]string{m.Scope, m.Key}]; ok {
			return &history.Answer{OK: true, Offset: w.log.Messages[i].Offset, ID: w.log.Messages[i].ID, Duplicate: true}
		}
		w.keys[[2]string{m.Scope, m.Key}] = len(w.log.Messages)
	}
	w.append(&m)
	l.made[m.ID] = true
	return &history.Answer{OK: true, Offset: m.Offset, ID: m.ID}
}

func (l *wire) scope(s *history.Send) string {
	switch {
	case l.actor.User != "":
		return event.Scope("user:"+l.actor.User, s.Conversation)
	case s.Key[:6] == "socket":
		return event.Scope("guest", s.Conversation)
	}
	return event.Scope("guest:"+l.SocketID, s.Conversation)
}

// deliver sends a connection what follows its cursor, so many messages at most.
func (w *world) deliver(l *wire, most int) {
	for i := range w.log.Messages {
		m := &w.log.Messages[i]
		if m.Offset <= l.cursor || !l.wants(m) {
			continue
		}
		if most--; most < 0 {
			return
		}
		l.cursor = m.Offset
		l.count++
		l.add(history.Entry{At: w.tick(), Kind: history.Received, Message: l.sees(m)})
	}
	l.cursor = w.log.Head
	if !l.told {
		l.told = true
		l.add(history.Entry{At: w.tick(), Kind: history.Recovered, Recovery: &history.Recovery{
			Recovered: l.lost == "", Reason: l.lost, From: l.from, Head: l.cursor, Count: l.count, Epoch: epoch,
		}})
	}
}

func (l *wire) wants(m *oracle.Message) bool {
	if m.Conversation.Kind == subject.DM {
		return l.actor.User != "" && (m.From == l.actor.User || m.To == l.actor.User) && !l.made[m.ID]
	}
	since, ok := l.since[m.Conversation.Name]
	return ok && m.Offset > since
}

// sees is a message as it is sent over the connection.
func (l *wire) sees(m *oracle.Message) *history.Message {
	seen := m.Message
	own := l.actor.User != "" && m.From == l.actor.User ||
		l.actor.User == "" && m.From == "" && (len(m.Key) > 24 && m.Key[:24] == l.SocketID || m.Scope == event.Scope("guest:"+l.SocketID, m.Conversation))
	if !own {
		seen.Key = ""
	}
	return &seen
}

func (w *world) watermark(l *wire) {
	if l.told && len(l.waiting) == 0 {
		w.deliver(l, len(w.log.Messages))
		l.add(history.Entry{At: w.tick(), Kind: history.Watermark, Offset: l.cursor})
	}
}

// move has a client join a room or leave it. What it asks for is done at once, and it hears of that later.
func (w *world) move(l *wire) {
	r := pick(w, rooms)
	if _, ok := l.since[r]; ok && w.IntN(3) > 0 {
		l.add(history.Entry{At: w.tick(), Kind: history.LeaveAsked, Room: r})
		if w.IntN(5) == 0 {
			l.refuse(w, history.LeaveRefused, r)
			return
		}
		// What is on its way comes before the gateway hears of it.
		w.deliver(l, w.IntN(3))
		delete(l.since, r)
		l.waiting = append(l.waiting, func() { l.add(history.Entry{At: w.tick(), Kind: history.Left, Room: r}) })
		return
	}
	l.add(history.Entry{At: w.tick(), Kind: history.JoinAsked, Room: r})
	if w.IntN(5) == 0 {
		l.refuse(w, history.JoinRefused, r)
		return
	}
	head := max(w.log.Head, l.cursor)
	if _, ok := l.since[r]; !ok {
		l.since[r] = head
	}
	l.waiting = append(l.waiting, func() { l.add(history.Entry{At: w.tick(), Kind: history.Joined, Room: r, Offset: head}) })
}

func (l *wire) refuse(w *world, kind history.Kind, room string) {
	l.waiting = append(l.waiting, func() {
		l.add(history.Entry{At: w.tick(), Kind: kind, Room: room, Text: "rate_limited"})
	})
}

// answer brings a client the answer that has been under way for the longest.
func (w *world) answer(l *wire) {
	if len(l.waiting) > 0 {
		l.waiting[0]()
		l.waiting = l.waiting[1:]
	}
}
