package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidemark-chat/tidemark/services/swarm/deployment"
	"github.com/tidemark-chat/tidemark/streams/eventlog"
)

// What is led in a cluster: the log, the persisters' consumer, and the cluster itself.
const (
	streamLeader   = "leader-stream"
	consumerLeader = "leader-consumer"
	metaLeader     = "leader-meta"
)

var leaderships = []string{streamLeader, consumerLeader, metaLeader}

const (
	consumer    = "persister" // the persisters', durable
	stepTimeout = 5 * time.Second
	stepAgain   = 250 * time.Millisecond
)

// stepDown makes a leader give up. It asks again for a while, since in between there may be none.
func stepDown(ctx context.Context, d *deployment.Deployment, leadership string) error {
	url, subject := d.NATS(), "$JS.API.STREAM.LEADER.STEPDOWN."+eventlog.StreamName
	switch leadership {
	case consumerLeader:
		subject = "$JS.API.CONSUMER.LEADER.STEPDOWN." + eventlog.StreamName + "." + consumer
	case metaLeader:
		url, subject = d.System(), "$JS.API.META.LEADER.STEPDOWN"
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	nc, err := nats.Connect(url, nats.Name("swarm faults"), nats.Timeout(time.Second))
	if err != nil {
		return fmt.Errorf("%s: %w", leadership, err)
	}
	defer nc.Close()
	for {
		err := stepDownOnce(ctx, nc, subject)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(stepAgain):
		case <-ctx.Done():
			return fmt.Errorf("%s does not step down: %w", leadership, err)
		}
	}
}

func stepDownOnce(ctx context.Context, nc *nats.Conn, subject string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	reply, err := nc.RequestWithContext(ctx, subject, nil)
	if err != nil {
		return err
	}
	var answer struct {
		Success bool `json:"success"`
		Error   struct {
			Description string `json:"description"`
		} `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return err
	}
	if !answer.Success {
		return errors.New(answer.Error.Description)
	}
	return nil
}
