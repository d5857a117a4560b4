package config

// NATS is the way to the event log.
type NATS struct {
	URL         URL    // of one server or several, separated by commas; empty: embedded
	Listen      string // address of the embedded server; empty: none
	Credentials string // path; empty: none
	CA          string // path of PEM certificates; empty: the system's
	Cert, Key   string // paths of the client's own certificate and its key; empty: none
	Replicas    int    // of the stream and the buckets
	Provision   bool   // streams, buckets and consumers are made where they are missing
}

func (n *NATS) settings() []setting {
	return []setting{
		set(&n.URL, "nats.url", "", natsURL(), "servers of the event log; empty: the embedded one (standalone only)"),
		set(&n.Listen, "nats.listen", "127.0.0.1:4222", addressOrOff(), "where the embedded server also listens (standalone)"),
		set(&n.Credentials, "nats.credentials", "", file(), "NATS credentials file (.creds)"),
		set(&n.CA, "nats.ca", "", file(), "PEM certificates that nats-server's must be signed by; empty: the system's"),
		set(&n.Cert, "nats.cert", "", file(), "PEM certificate that is shown to nats-server; needs nats.key"),
		set(&n.Key, "nats.key", "", file(), "PEM key of nats.cert"),
		set(&n.Replicas, "nats.replicas", "1", oneOf(1, 3, 5), "copies of the log in the NATS cluster"),
		set(&n.Provision, "nats.provision", "true", truth(), "whether a service makes the streams, buckets and consumers that are missing, and changes what is safe to change; false: streams provision does"),
	}
}
