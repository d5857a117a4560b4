package presence

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// at is a moment, in seconds.
func at(seconds float64) time.Time {
	return time.Unix(1_000_000, 0).Add(time.Duration(seconds * float64(time.Second)))
}

// tell tells a view what one line of a script says, and returns the changes and
// what has to be cleared away. A line is a time in seconds, what happens, and
// to which incarnation or whom.
func tell(t testing.TB, v *view, line string) string {
	t.Helper()
	var heard []string
	v.changed = func(c Change) { heard = append(heard, describe(c)) }
	f := append(strings.Fields(line), "", "")
	seconds, err := strconv.ParseFloat(f[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	now, entry := at(seconds), Entry{User, strings.ToLower(f[3]), f[3]}
	switch f[1] {
	case "echo":
		v.echo(now)
	case "interrupted":
		v.interrupted()
	case "lease":
		v.leaseSeen(f[2], now)
	case "unlease":
		v.leaseGone(f[2], now)
	case "claim":
		v.put(f[2], "", Entry{}, now)
	case "put":
		v.put(f[2], "user."+entry.ID, entry, now)
	case "remove":
		v.remove(f[2], "user."+entry.ID)
	case "forget":
		v.forget(f[2])
	case "enter":
		v.enter(Entry{User, strings.ToLower(f[2]), f[2]})
	case "leave":
		v.leave(User, strings.ToLower(f[2]))
	case "expect":
		v.expect(Entry{User, strings.ToLower(f[2]), f[2]}, now)
	case "expire":
		dead := v.expire(now)
		slices.Sort(heard) // in no order
		slices.Sort(dead)
		for _, d := range dead {
			heard = append(heard, "clear "+d)
		}
	default:
		t.Fatalf("what is %q?", line)
	}
	return strings.Join(heard, ", ")
}

func newTestView() *view {
	v := newView("me-", 15*time.Second, 5*time.Second, func(Change) {})
	v.own = "me-2"
	return v
}

func TestTheView(t *testing.T) {
	for name, script := range map[string]string{
		"keys count once their gateway has a lease": `
			0 put g Ann
			1 lease g        => +user Ann 1
			2 put g Bob      => +user Bob 2
			3 remove g Ann   => -user Ann 1
			4 remove g Ann
			4 remove h Bob
			5 unlease g      => -user Bob 0
			6 put g Cid
			7 unlease nobody`,
		"several connections are one presence": `
			0 lease g
			0 lease h
			1 put g Ann      => +user Ann 1
			1 put h Ann
			1 enter Ann
			1 enter Ann
			2 remove g Ann
			2 leave Ann
			2 unlease h
			2 leave Ann      => -user Ann 0
			2 leave Ann
			3 lease h        => +user Ann 1`,
		"a key that is written again, or under another name, is no change": `
			0 lease g
			1 put g Ann      => +user Ann 1
			2 put g Ann
			3 put g ann
			4 remove g Ann   => -user ann 0`,
		"a lease ends a term after it was last seen": `
			0 lease g
			0 put g Ann      => +user Ann 1
			0 echo
			5 lease g
			5 echo
			10 echo
			15 echo
			20 echo
			21 expire
			21.1 expire      => -user Ann 0, clear g
			22 expire        => clear g
			23 forget g
			24 expire`,
		"a dead gateway's successor is not touched": `
			0 echo
			0 lease g
			0 put g Ann      => +user Ann 1
			0 put g Bob      => +user Bob 2
			7 echo
			14 echo
			14 lease h
			14 put h Ann
			17 expire        => -user Bob 1, clear g
			17 forget g
			18 remove g Ann
			18 put g Ann
			19 unlease g`,
		"a lease that the server still held is believed again": `
			0 echo
			0 lease g
			0 put g Ann      => +user Ann 1
			7 echo
			14 echo
			17 expire        => -user Ann 0, clear g
			18 lease g       => +user Ann 1
			19 expire`,
		"nothing is judged before the watches have been seen to work": `
			0 lease g
			0 put g Ann      => +user Ann 1
			100 expire
			100 echo
			107 expire
			107 echo
			114 echo
			116 expire
			116.1 expire     => -user Ann 0, clear g`,
		"nothing is judged while own renewals stay out, and then all get a fresh term": `
			0 echo
			0 lease g
			0 put g Ann      => +user Ann 1
			5 echo
			30 expire
			30 echo
			31 expire
			36 echo
			42 echo
			46.1 expire      => -user Ann 0, clear g`,
		"a new watch gives a fresh term too": `
			0 echo
			0 lease g
			0 put g Ann      => +user Ann 1
			7 echo
			14 echo
			15 interrupted
			15 echo
			22 echo
			29 echo
			31 expire
			31.1 expire      => -user Ann 0, clear g`,
		"a removal that was missed is noticed a term after the new watch began": `
			0 lease g
			0 put g Ann      => +user Ann 1
			0 put g Bob      => +user Bob 2
			50 interrupted
			51 lease g
			51 put g Bob
			51 echo
			58 echo
			65 echo
			67 lease g
			67 expire
			67.1 expire      => -user Ann 1
			67.2 expire`,
		"a key seen again in a newer watch stays, whatever the older one missed": `
			0 lease g
			0 put g Ann      => +user Ann 1
			0 interrupted
			1 interrupted
			1 put g Ann
			1 echo
			8 echo
			15 echo
			17 lease g
			18 expire`,
		"keys without a lease are nobody's, and are cleared away": `
			0 put g Ann
			0 claim h
			0 echo
			7 echo
			14 echo
			16 expire
			16.1 expire      => clear g, clear h`,
		"own keys are ignored, also those of a former incarnation, which are cleared away": `
			0 enter Ann      => +user Ann 1
			0 put me-2 Ann
			0 put me-2 Bob
			0 lease me-2
			0 put me-1 Ann
			0 put me-1 Bob
			0 lease me-1
			0 echo
			1 leave Ann      => -user Ann 0
			7 echo
			14 echo
			16.1 expire      => clear me-1`,
		"who is expected is online until a connection appears and ends": `
			0 expect Ann     => +user Ann 1
			0 expect Ann
			1 put g Ann
			1 lease g
			2 remove g Ann   => -user Ann 0
			3 expect Bob     => +user Bob 1
			4 enter Bob
			5 expect Bob
			6 leave Bob      => -user Bob 0
			7 lease h
			8 expect Cid     => +user Cid 1
			8 put h Cid
			9 put g Cid
			9 remove h Cid
			9 unlease g      => -user Cid 0`,
		"who was here a moment ago is not expected": `
			0 echo
			0 enter Ann      => +user Ann 1
			1 leave Ann      => -user Ann 0
			2 expect Ann
			3 expire
			18 expect Ann
			20 expire
			20 expect Ann    => +user Ann 1`,
		"who is expected in vain is offline after a term": `
			0 echo
			0 expect Ann     => +user Ann 1
			1 put g Ann
			2 remove g Ann
			7 echo
			14 echo
			16 expire
			16.1 expire      => -user Ann 0
			17.1 expire      => clear g`,
	} {
		t.Run(name, func(t *testing.T) {
			v := newTestView()
			for line := range strings.Lines(script) {
				if strings.TrimSpace(line) == "" {
					continue
				}
				line, want, _ := strings.Cut(strings.TrimSpace(line), "=>")
				if got := tell(t, v, line); got != strings.TrimSpace(want) {
					t.Errorf("%q: %q, want %q", line, got, want)
				}
			}
		})
	}
}

// TestADeadGatewaysUsersAreOfflineWithin20s by the defaults, whenever it dies.
func TestADeadGatewaysUsersAreOfflineWithin20s(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := New(nil, Options{})
		v := p.view
		phase := rapid.Float64Range(0, 5).Draw(t, "when it last renewed")
		for now := 0.0; now <= 20+phase; now += 0.1 {
			tenths := int(now*10 + 0.5)
			if tenths%50 == 0 {
				v.echo(at(now))
			}
			if tenths%10 == 3 { // a second is the default tick
				v.expire(at(now))
			}
			if now <= phase {
				v.leaseSeen("g", at(now))
				v.put("g", "user.ann", ann, at(now))
			}
		}
		if v.has(User, ann.ID) {
			t.Error("still online")
		}
	})
}
