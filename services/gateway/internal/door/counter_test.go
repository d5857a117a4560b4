package door

import (
	"net/netip"
	"sync"
	"testing"
)

func TestWhatCountsAsOneAddress(t *testing.T) {
	for _, test := range []struct {
		one, other string
		same       bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%a", "fe80::2%b", true},
	} {
		c := NewCounter(Limits{PerAddress: 1})
		place, _ := c.Enter(netip.MustParseAddr(test.one))
		_, reason := c.Enter(netip.MustParseAddr(test.other))
		if (reason == Crowded) != test.same {
			t.Errorf("%s and %s: %q", test.one, test.other, reason)
		}
		place.Leave()
		place.Leave()
		if _, reason := c.Enter(netip.MustParseAddr(test.one)); reason != "" {
			t.Errorf("%s after it left: %q", test.one, reason)
		}
	}
}

func TestLimitsHoldForWhoComesFromNowOn(t *testing.T) {
	c := NewCounter(Limits{})
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	var places []*Place
	enter := func(address netip.Addr, want Reason) {
		t.Helper()
		p, reason := c.Enter(address)
		if reason != want || (p == nil) != (want != "") {
			t.Errorf("%v: %q, want %q", address, reason, want)
		}
		places = append(places, p)
	}
	for range 3 {
		enter(a, "")
	}
	c.SetLimits(Limits{Total: 4, PerAddress: 2})
	enter(a, Crowded)
	enter(b, "")
	enter(b, Full)
	enter(netip.Addr{}, Full)
	places[0].Leave()
	enter(a, Crowded) // who was there before counts too
	enter(netip.Addr{}, "")
	c.SetLimits(Limits{})
	enter(a, "")
	for _, p := range places {
		if p != nil {
			p.Leave()
		}
	}
	if total, addresses := c.Count(); total != 0 || addresses != 0 {
		t.Errorf("%d of %d addresses are left", total, addresses)
	}
}

func TestNoMoreThanTheLimitAreEverIn(t *testing.T) {
	const limit, goers, times = 5, 16, 2000
	c := NewCounter(Limits{Total: 2 * limit, PerAddress: limit})
	addresses := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")}
	var wg sync.WaitGroup
	for g := range goers {
		wg.Go(func() {
			for i := range times {
				p, reason := c.Enter(addresses[(g+i)%len(addresses)])
				if total, _ := c.Count(); total > 2*limit {
					t.Errorf("%d are in", total)
				}
				if reason == "" {
					p.Leave()
				}
			}
		})
	}
	wg.Wait()
	if total, addresses := c.Count(); total != 0 || addresses != 0 {
		t.Errorf("%d of %d addresses are left", total, addresses)
	}
}
