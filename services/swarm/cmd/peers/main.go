package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/tidemark-chat/tidemark/services/swarm/peers"
)

func main() {
	o := peers.Options{Plan: peers.Full(), Rounds: 1, Progress: os.Stderr,
		Installed: peers.Installed{Standalone: os.Args[1], Node: "services/swarm/peers/node", Redis: "redis-server", Data: ".data/peers"}}
	if os.Args[2] == "quick" {
		o.Plan = peers.Quick()
	}
	if len(os.Args) > 3 && os.Args[3] != "" {
		o.Only = strings.Split(os.Args[3], ",")
	}
	if len(os.Args) > 4 {
		o.Kinds = strings.Split(os.Args[4], ",")
	}
	r, err := peers.Run(context.Background(), o)
	fmt.Fprintln(os.Stderr, err, r.Took)
	json.NewEncoder(os.Stdout).Encode(r)
}
