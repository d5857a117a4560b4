package persister

import (
	"context"

	"github.com/tidemark-chat/tidemark/services/persister/signing"
)

// newNotary is the notary of a persister that has a key, or nil.
func (p *Persister) newNotary() *signing.Notary {
	if p.options.Notary.Key.Signer == nil {
		return nil
	}
	return signing.New(p.options.Notary, p.metrics.notary, p.log)
}

// startNotary starts the notary, if there is one. stop lets it sign what is
// projected by then, for some seconds at most, and waits for it.
func (p *Persister) startNotary(l *link) (stop func()) {
	if p.notary == nil {
		p.log.Info("no notary: it has no key (notary.key)")
		return func() {}
	}
	p.log.Info("the notary signs the log", "publicKey", p.options.Notary.Key.Public)
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		p.notary.Run(ctx, l.notary, p.status.projected)
	}()
	return func() {
		cancel()
		<-stopped
	}
}
