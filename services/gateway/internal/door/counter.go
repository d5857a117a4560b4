package door

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// Limits are how many may be in. 0 stands for no limit.
type Limits struct{ Total, PerAddress int }

// Reason is why somebody is not let in.
type Reason string

// The reasons; "" is none.
const (
	Full    Reason = "full"    // as many are in as may be
	Crowded Reason = "address" // as many of one address are
)

// Counter counts who is in, all together and of each address. It holds an address as long as somebody of it is in.
type Counter struct {
	mu        sync.Mutex
	limits    Limits
	total     int
	byAddress map[netip.Addr]int
}

// NewCounter counts from nobody on.
func NewCounter(limits Limits) *Counter {
	return &Counter{limits: limits, byAddress: make(map[netip.Addr]int)}
}

// SetLimits holds for those who come from now on.
func (c *Counter) SetLimits(limits Limits) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits = limits
}

// Place is that of one who is in.
type Place struct {
	counter *Counter
	host    netip.Addr
	left    atomic.Bool
}

// Enter gives somebody of an address a place, until he leaves it, or says why not. Of IPv6 a network of 64 bits counts as
// one address, which is the least that anybody is given. The zero address counts in the total only.
func (c *Counter) Enter(address netip.Addr) (*Place, Reason) {
	host := network(address)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.limits.Total > 0 && c.total >= c.limits.Total:
		return nil, Full
	case host.IsValid() && c.limits.PerAddress > 0 && c.byAddress[host] >= c.limits.PerAddress:
		return nil, Crowded
	}
	c.total++
	if host.IsValid() {
		c.byAddress[host]++
	}
	return &Place{counter: c, host: host}, ""
}

// Leave gives the place back; a second time it does nothing.
func (p *Place) Leave() {
	if p.left.Swap(true) {
		return
	}
	c := p.counter
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if !p.host.IsValid() {
		return
	}
	if c.byAddress[p.host]--; c.byAddress[p.host] == 0 {
		delete(c.byAddress, p.host)
	}
}

// Count is how many are in, and of how many addresses.
func (c *Counter) Count() (total, addresses int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total, len(c.byAddress)
}

// network is what of an address is counted.
func network(address netip.Addr) netip.Addr {
	if !address.Is6() || address.Is4In6() {
		return address.Unmap()
	}
	prefix, _ := address.WithZone("").Prefix(64) // of an IPv6 address: cannot fail
	return prefix.Addr()
}
