package presence

// Gateways is how many gateways are connected as far as this one knows, itself
// included once it has a lease.
func (p *Presence) Gateways() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.view.leases()
}

func (v *view) leases() (n int) {
	if v.own != "" {
		n++
	}
	for _, g := range v.gateways {
		if g.leased {
			n++
		}
	}
	return n
}
