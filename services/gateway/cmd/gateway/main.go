// Command gateway is the Socket.IO edge: it appends what clients send to the
// log and delivers what the log says.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/tidemark-chat/tidemark/config/command"
	"github.com/tidemark-chat/tidemark/services/gateway"
)

func main() {
	os.Exit(command.Main(command.Service{
		Name:  "gateway",
		Short: "Serve Socket.IO clients from the event log",
		Long: "Serve Socket.IO clients: append what they send to the log (NATS JetStream), deliver what the log says, and give\n" +
			"returning clients what they missed. Needs a nats-server with JetStream; any number of gateways share one log.",
		Example:  "  gateway --nats.url nats://127.0.0.1:4222 --gateway.listen 0.0.0.0:3000\n  TIDEMARK_NATS_URL=nats://127.0.0.1:4222 gateway\n  gateway config\n  gateway check",
		Sections: []string{"nats.url", "nats.credentials", "nats.ca", "nats.cert", "nats.key", "nats.provision", "nats.replicas", "stream", "gateway", "auth", "telemetry"},
		Run:      gateway.Run,
		Checks:   gateway.Checks,
		Extra:    []*cobra.Command{revokeCommand()},
	}))
}
