package presence

import (
	"iter"
	"strings"
	"time"
)

// view is who is online as far as this gateway can know: a pure function of
// what it was told, and when. It calls changed for each true transition.
//
// Somebody is online while there is a source for it: being entered here, a key
// of a gateway whose lease lives, or an expectation.
type view struct {
	former   string        // how all incarnations of this process begin
	own      string        // the present one; empty before the first
	term     time.Duration // how long what is not renewed is believed
	patience time.Duration // how long the watches are believed to work without an echo
	changed  func(Change)

	online   map[Kind]map[string]*person // by id
	local    map[who]*connected
	gateways map[string]*gateway // by incarnation; without the own one
	expected map[who]time.Time   // since when
	left     map[who]time.Time   // who went offline in the last term or so; since when, zero until expire sees it

	// echoed is when this gateway's own renewal last came back through its
	// watches; zero after an interruption, until the first one does.
	echoed time.Time
	// round counts the watches begun. A key that was not seen in the present
	// round a term after it began is gone: its removal was missed.
	round  uint32
	began  time.Time
	missed bool // there may be keys of earlier rounds
}

type who struct {
	kind Kind
	id   string
}

type person struct {
	name    string // the one heard last
	sources int
}

type connected struct {
	name        string
	connections int
}

// gateway is an incarnation of another gateway, or a former one of this one.
type gateway struct {
	leased bool      // its lease lives: its keys count
	since  time.Time // the lease was last seen; if it never was, the gateway itself
	keys   map[string]held
}

type held struct {
	Entry
	round uint32
}

func newView(former string, lease, renew time.Duration, changed func(Change)) *view {
	return &view{
		former: former, term: lease + renew/5, patience: renew * 3 / 2, changed: changed,
		online: map[Kind]map[string]*person{}, local: map[who]*connected{},
		gateways: map[string]*gateway{}, expected: map[who]time.Time{}, left: map[who]time.Time{},
	}
}

// enter reports whether the bucket has to be told.
func (v *view) enter(e Entry) bool {
	w := who{e.Kind, e.ID}
	if c := v.local[w]; c != nil {
		renamed := c.name != e.Name
		c.connections++
		c.name, v.online[e.Kind][e.ID].name = e.Name, e.Name
		return renamed
	}
	v.local[w] = &connected{e.Name, 1}
	v.arrive(e)
	return true
}

// leave reports whether it was the last connection here.
func (v *view) leave(kind Kind, id string) bool {
	w := who{kind, id}
	c := v.local[w]
	if c == nil {
		return false
	}
	if c.connections--; c.connections > 0 {
		return false
	}
	delete(v.local, w)
	v.down(w)
	return true
}

// expect is for who has not been here: the news of it may come after them.
func (v *view) expect(e Entry, now time.Time) {
	w := who{e.Kind, e.ID}
	if _, left := v.left[w]; !left && !v.has(e.Kind, e.ID) {
		v.expected[w] = now
		v.up(e)
	}
}

// put is a key of an incarnation's, or with an empty key its claim.
func (v *view) put(incarnation, key string, e Entry, now time.Time) {
	if incarnation == v.own {
		return // what is entered here is known better
	}
	g := v.gateway(incarnation, now)
	if key == "" {
		return
	}
	before, known := g.keys[key]
	g.keys[key] = held{e, v.round}
	if g.leased {
		v.arrive(e)
		if known {
			v.down(who{before.Kind, before.ID})
		}
	}
}

// remove is the removal of an incarnation's key.
func (v *view) remove(incarnation, key string) {
	if g := v.gateways[incarnation]; g != nil {
		v.drop(g, key)
	}
}

// leaseSeen is a lease that was taken or renewed.
func (v *view) leaseSeen(incarnation string, now time.Time) {
	if incarnation == v.own {
		return
	}
	g := v.gateway(incarnation, now)
	if !strings.HasPrefix(incarnation, v.former) { // a former incarnation is never believed
		g.since = now
		v.believe(g, true)
	}
}

// leaseGone is a lease that was given up.
func (v *view) leaseGone(incarnation string, now time.Time) {
	if g := v.gateways[incarnation]; g != nil {
		g.since = now
		v.believe(g, false)
	}
}

// forget ends an incarnation whose lease is gone and whose keys were removed.
func (v *view) forget(incarnation string) {
	if g := v.gateways[incarnation]; g != nil {
		v.believe(g, false)
		delete(v.gateways, incarnation)
	}
}

// interrupted begins new watches, which deliver all that there is.
func (v *view) interrupted() {
	v.echoed = time.Time{}
	v.round++
	v.missed = true
}

// echo is this gateway's own renewal, seen through its watches. If there was
// none for too long, everything gets a fresh term.
func (v *view) echo(now time.Time) {
	if !v.working(now) {
		v.began = now
		for _, g := range v.gateways {
			g.since = now
		}
		for w := range v.expected {
			v.expected[w] = now
		}
	}
	v.echoed = now
}

// working reports whether the watches have lately been seen to work.
func (v *view) working(now time.Time) bool {
	return !v.echoed.IsZero() && now.Sub(v.echoed) <= v.patience
}

// expire ends what was not renewed for a term, and returns the incarnations
// without a lease: their keys are to be removed, and then they be forgotten.
func (v *view) expire(now time.Time) (dead []string) {
	over := func(since time.Time) bool { return now.Sub(since) > v.term }
	for w, since := range v.left {
		if since.IsZero() {
			v.left[w] = now
		} else if over(since) {
			delete(v.left, w)
		}
	}
	if !v.working(now) {
		return nil
	}
	for w, since := range v.expected {
		if over(since) {
			delete(v.expected, w)
			v.down(w)
		}
	}
	for incarnation, g := range v.gateways {
		if over(g.since) {
			v.believe(g, false)
			dead = append(dead, incarnation)
		}
	}
	if v.missed && over(v.began) {
		v.missed = false
		for _, g := range v.gateways {
			for key, h := range g.keys {
				if h.round != v.round {
					v.drop(g, key)
				}
			}
		}
	}
	return dead
}

func (v *view) gateway(incarnation string, now time.Time) *gateway {
	g := v.gateways[incarnation]
	if g == nil {
		g = &gateway{since: now, keys: map[string]held{}}
		v.gateways[strings.Clone(incarnation)] = g
	}
	return g
}

// believe makes an incarnation's keys count, or no longer.
func (v *view) believe(g *gateway, leased bool) {
	if g.leased == leased {
		return
	}
	g.leased = leased
	for _, h := range g.keys {
		if leased {
			v.arrive(h.Entry)
		} else {
			v.down(who{h.Kind, h.ID})
		}
	}
}

func (v *view) drop(g *gateway, key string) {
	h, known := g.keys[key]
	delete(g.keys, key)
	if known && g.leased {
		v.down(who{h.Kind, h.ID})
	}
}

// arrive adds a connection as a source, which fulfils an expectation.
func (v *view) arrive(e Entry) {
	v.up(e)
	w := who{e.Kind, e.ID}
	if _, expected := v.expected[w]; expected {
		delete(v.expected, w)
		v.down(w)
	}
}

func (v *view) up(e Entry) {
	people := v.online[e.Kind]
	if people == nil {
		people = map[string]*person{}
		v.online[e.Kind] = people
	}
	p := people[e.ID]
	if p == nil {
		p = &person{}
		people[e.ID] = p
	}
	p.name = e.Name
	if p.sources++; p.sources == 1 {
		delete(v.left, who{e.Kind, e.ID})
		v.changed(Change{Entry: e, Online: true, Count: len(people)})
	}
}

func (v *view) down(w who) {
	people := v.online[w.kind]
	p := people[w.id]
	if p.sources--; p.sources == 0 {
		delete(people, w.id)
		v.left[w] = time.Time{}
		v.changed(Change{Entry: Entry{w.kind, w.id, p.name}, Count: len(people)})
	}
}

// entered reports whether somebody is connected here.
func (v *view) entered(e Entry) bool { return v.local[who{e.Kind, e.ID}] != nil }

func (v *view) has(kind Kind, id string) bool { return v.online[kind][id] != nil }

func (v *view) count(kind Kind) int { return len(v.online[kind]) }

// here is who is entered here.
func (v *view) here() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for w, c := range v.local {
			if !yield(Entry{w.kind, w.id, c.name}) {
				return
			}
		}
	}
}
