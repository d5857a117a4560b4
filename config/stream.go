package config

import "time"

// Stream is the event log itself.
type Stream struct {
	MaxBytes    Size
	DedupWindow time.Duration
	Republish   bool
}

func (s *Stream) settings() []setting {
	return []setting{
		set(&s.MaxBytes, "stream.maxBytes", "10GiB", size(64*KiB, 1024*TiB), "size of the log at which it refuses new messages"),
		set(&s.DedupWindow, "stream.dedupWindow", "2h", duration(100*time.Millisecond, 24*time.Hour), "how long the log itself recognises a repeated message"),
		set(&s.Republish, "stream.republish", "false", truth(), "whether the log sends each event to core subjects too, which gateway.feed=republish reads; decided when the log is made, or by streams provision"),
	}
}
