// Command persister projects the event log into a database and answers
// questions about it. It is deployed apart from the gateways.
package main

import (
	"os"

	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/persister"
)

func main() {
	os.Exit(command.Main(command.Service{
		Name:  "persister",
		Short: "Project the event log into a database and answer questions about it",
		Long: "Consumes the event log into a read model in SQL and answers the gateways' questions.\n" +
			"Several may run: one works, the others take over. The database can be deleted; it is rebuilt.",
		Example:  "  persister --nats.url nats://127.0.0.1:4222 --data-dir /var/lib/tidemark\n  persister check",
		Sections: []string{"dataDir", "nats.url", "nats.credentials", "nats.ca", "nats.cert", "nats.key", "nats.provision", "nats.replicas", "stream", "persister", "notary", "database", "telemetry"},
		Run:      persister.Run,
		Checks:   persister.Checks,
	}))
}
