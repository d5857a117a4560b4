// Command standalone runs all of Tidemark in one process, on an embedded log.
package main

import (
	"os"

	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/standalone"
)

func main() {
	os.Exit(command.Main(command.Service{
		Name:  "standalone",
		Short: "Run all of Tidemark in one process",
		Long: "Run the event log (an embedded nats-server that syncs every message to disk), the gateway and the persister in one\n" +
			"process. Everything is kept in one directory; nothing else is needed.",
		Example:  "  standalone\n  standalone --data-dir /var/lib/tidemark --gateway.listen 0.0.0.0:3000\n  TIDEMARK_NATS_LISTEN=off standalone\n  standalone config\n  standalone check",
		Sections: []string{"dataDir", "nats.listen", "stream", "gateway", "auth", "persister", "notary", "database", "telemetry"},
		Run:      standalone.Run,
		Checks:   standalone.Checks,
	}))
}
