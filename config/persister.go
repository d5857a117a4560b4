package config

import "time"

// Persister is the projection of the log into SQL.
type Persister struct {
	Listen    string // host:port
	BatchSize int
	PinTTL    time.Duration
}

func (p *Persister) settings() []setting {
	return []setting{
		set(&p.Listen, "persister.listen", "127.0.0.1:3001", address(), "where health and metrics are served"),
		set(&p.BatchSize, "persister.batchSize", "1000", number(1, 100_000), "events written in one transaction at most"),
		set(&p.PinTTL, "persister.pinTTL", "3s", duration(100*time.Millisecond, 5*time.Minute), "after so long a silence another persister takes over"),
	}
}
