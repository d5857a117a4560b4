package config

// NATS is the way to the event log.
type NATS struct {
	URL         URL    // of one server or several, separated by commas; empty: embedded
	Listen      string // address of the embedded server; empty: none
	Credentials string // path; empty: none
	Replicas    int    // of the stream and the buckets
}

func (n *NATS) settings() []setting {
	return []setting{
		set(&n.URL, "nats.url", "", natsURL(), "servers of the event log; empty: the embedded one (standalone only)"),
		set(&n.Listen, "nats.listen", "127.0.0.1:4222", addressOrOff(), "where the embedded server also listens (standalone)"),
		set(&n.Credentials, "nats.credentials", "", file(), "NATS credentials file (.creds)"),
		set(&n.Replicas, "nats.replicas", "1", oneOf(1, 3, 5), "copies of the log in the NATS cluster"),
	}
}
