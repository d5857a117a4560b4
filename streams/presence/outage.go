package presence

import "time"

// sayEvery is how often an outage is said that does not end.
const sayEvery = time.Minute

// outage is a time without the buckets, which may be one in which nothing else
// happens. Run's goroutine owns it.
type outage struct{ said time.Time }

// worthSaying reports whether it is to be said now that it goes on.
func (o *outage) worthSaying(now time.Time) bool {
	if !o.said.IsZero() && now.Sub(o.said) < sayEvery {
		return false
	}
	o.said = now
	return true
}

func (o *outage) over() { o.said = time.Time{} }

// Current reports whether this gateway and the others hear of each other: whether
// it has a lease, and follows the buckets. Where it does not, people on other
// gateways are those it knew last, and those here are known here only.
func (p *Presence) Current() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

func (p *Presence) attached(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = yes
}
