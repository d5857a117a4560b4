package presence

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestEveryChangeIsATrueTransition compares the view, after anything that may
// happen, with who is online by definition, and with what the changes tell.
func TestEveryChangeIsATrueTransition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, told := newTestView(), map[string]bool{}
		v.changed = func(c Change) {
			if told[c.ID] == c.Online {
				t.Errorf("told again: %v", c)
			}
			if told[c.ID] = true; !c.Online {
				delete(told, c.ID)
			}
			if c.Count != len(told) {
				t.Errorf("count %d, want %d", c.Count, len(told))
			}
		}
		now := 0.0
		pick := func(from ...string) string { return rapid.SampledFrom(from).Draw(t, "of") }
		somebody := func() Entry { id := pick("ann", "bob", "cid"); return Entry{User, id, pick(id, "x")} }
		incarnation := func() string { return pick("g", "h", "me-1", "me-2") }
		do := map[string]func(){
			"enter":       func() { v.enter(somebody()) },
			"leave":       func() { v.leave(User, somebody().ID) },
			"expect":      func() { v.expect(somebody(), at(now)) },
			"put":         func() { e := somebody(); v.put(incarnation(), e.ID, e, at(now)) },
			"remove":      func() { v.remove(incarnation(), somebody().ID) },
			"lease":       func() { v.leaseSeen(incarnation(), at(now)) },
			"lease gone":  func() { v.leaseGone(incarnation(), at(now)) },
			"echo":        func() { v.echo(at(now)) },
			"interrupted": func() { v.interrupted() },
			"forget":      func() { v.forget(incarnation()) },
			"expire":      func() { v.expire(at(now)) },
		}
		check := func() {
			online := map[string]bool{}
			for w := range v.local {
				online[w.id] = true
			}
			for w := range v.expected {
				online[w.id] = true
			}
			for incarnation, g := range v.gateways {
				if g.leased && strings.HasPrefix(incarnation, "me") {
					t.Error("an own incarnation is believed")
				}
				for _, h := range g.keys {
					if g.leased {
						online[h.ID] = true
					}
				}
			}
			if !maps.Equal(online, told) || v.count(User) != len(told) {
				t.Fatalf("online are %v, told %v, counted %d", online, told, v.count(User))
			}
		}
		actions := map[string]func(*rapid.T){"": func(*rapid.T) { check() }}
		for name, f := range do {
			actions[name] = func(*rapid.T) { now += rapid.Float64Range(0, 6).Draw(t, "later"); f() }
		}
		t.Repeat(actions)
	})
}

// TestNobodyAliveIsJudgedDead follows a gateway that lives through ten minutes
// in which the server, the way from it and this process stand still again and
// again, and renewals are late.
func TestNobodyAliveIsJudgedDead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := New(nil, Options{Changed: func(c Change) {
			if !c.Online {
				t.Errorf("%v", c)
			}
		}})
		s := &simulation{t: t, view: p.view}
		s.renewed("g")
		s.renewed("me")
		s.view.put("g", "user.ann", ann, at(0))
		for s.now < 600 {
			s.stands = rapid.SampledFrom([]string{"", "", "server", "way", "process"}).Draw(t, "stands")
			for range rapid.IntRange(1, 140).Draw(t, "for tenths of seconds") {
				s.step()
			}
		}
	})
}

// simulation is a gateway that follows another one's lease, tenth by tenth of a
// second, by the default options.
type simulation struct {
	t        *rapid.T
	view     *view
	now      float64
	stands   string
	own      float64 // when this gateway renews next
	others   float64 // when the other one does
	silent   float64 // since when no echo came
	underway []string
}

func (s *simulation) step() {
	s.now += 0.1
	late := func() float64 { return s.now + 5 + rapid.SampledFrom([]float64{0, 0, 0, 1, 2, 3}).Draw(s.t, "late") }
	if s.stands != "server" {
		if s.now >= s.others {
			s.underway, s.others = append(s.underway, "g"), late()
		}
		if s.now >= s.own && s.stands != "process" {
			s.underway, s.own = append(s.underway, "me"), late()
		}
	}
	if s.stands == "process" {
		return
	}
	judgeFirst := rapid.Bool().Draw(s.t, "judge first")
	if judgeFirst {
		s.view.expire(at(s.now))
	}
	if s.stands == "" {
		for _, lease := range s.underway {
			s.renewed(lease)
		}
		s.underway = nil
	}
	if !judgeFirst {
		s.view.expire(at(s.now))
	}
	if s.now-s.silent > 15 { // begin anew: what is under way will not be seen
		s.view.interrupted()
		s.silent, s.underway = s.now, nil
		s.view.leaseSeen("g", at(s.now))
		s.view.put("g", "user.ann", ann, at(s.now))
		s.own = s.now
	}
}

func (s *simulation) renewed(lease string) {
	if lease == "g" {
		s.view.leaseSeen("g", at(s.now))
	} else {
		s.view.echo(at(s.now))
		s.silent = s.now
	}
}
