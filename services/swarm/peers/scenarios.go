package peers

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Scenario is one thing that is measured, on a server that has just been started.
type Scenario struct {
	Name       string // "fanout-200"
	Kind       string // "fanout": what options choose
	Title      string
	Short      string // title in a chart of its kind
	recovering bool   // clients come back
	run        func(context.Context, *server) (Values, error)
}

// Scenarios are all of a plan.
func (p Plan) Scenarios() (all []Scenario) {
	for _, n := range p.FanOut {
		all = append(all, Scenario{
			Name: fmt.Sprintf("fanout-%d", n), Kind: "fanout",
			Title: fmt.Sprintf("Fan-out at full speed, %s clients in a room", thousands(n)),
			Short: thousands(n) + " clients",
			run:   func(ctx context.Context, s *server) (Values, error) { return p.fanOut(ctx, s, n) },
		})
	}
	for _, pace := range p.Paced {
		all = append(all, Scenario{
			Name: fmt.Sprintf("paced-%d", pace.Clients), Kind: "paced",
			Title: fmt.Sprintf("Fan-out at a fixed rate, %d messages per second to %s clients, one at a time", pace.PerSecond, thousands(pace.Clients)),
			Short: fmt.Sprintf("%s clients, %d messages per second", thousands(pace.Clients), pace.PerSecond),
			run:   func(ctx context.Context, s *server) (Values, error) { return p.paced(ctx, s, pace) },
		})
	}
	for _, window := range p.PublishWindows {
		all = append(all, Scenario{
			Name: fmt.Sprintf("publish-%d", window), Kind: "publish",
			Title: fmt.Sprintf("Publish with acks, %d clients with %d in flight each", p.PublishClients, window),
			Short: fmt.Sprintf("%d in flight each", window),
			run:   func(ctx context.Context, s *server) (Values, error) { return p.publish(ctx, s, window) },
		})
	}
	return append(all,
		Scenario{Name: "connect", Kind: "connect", run: p.connect,
			Title: fmt.Sprintf("%s connects, %d at once", thousands(p.Connects), p.AtOnce), Short: fmt.Sprintf("%d at once", p.AtOnce)},
		Scenario{Name: "memory", Kind: "memory", run: p.memory,
			Title: fmt.Sprintf("Memory of %s idle connections", thousands(p.IdleClients)), Short: thousands(p.IdleClients) + " connections"},
		Scenario{Name: "recovery", Kind: "recovery", run: p.recovery, recovering: true,
			Title: fmt.Sprintf("%s clients come back at once, each of which has missed %d messages", thousands(p.Returning), p.Missed),
			Short: fmt.Sprintf("%s clients, %d messages each", thousands(p.Returning), p.Missed)},
	)
}

// unlimited is for senders that a time ends.
const unlimited = math.MaxInt

// fanOut lets a few of n clients in a room send as fast as they get acks and their own messages back.
func (p Plan) fanOut(ctx context.Context, s *server, n int) (Values, error) {
	return p.deliver(ctx, s, n, p.FanOutFor, func(c *crowd, during time.Duration) (sent int, err error) {
		sent, _, err = c.sendAll(ctx, p.Publishers, p.Window, true, time.Now().Add(during), unlimited)
		return sent, err
	})
}

// paced lets one client send at a fixed rate to a room.
func (p Plan) paced(ctx context.Context, s *server, pace Pace) (Values, error) {
	return p.deliver(ctx, s, pace.Clients, p.PacedFor, func(c *crowd, during time.Duration) (sent int, err error) {
		return c.sendPaced(ctx, pace.PerSecond, during)
	})
}

// deliver measures what is sent to a room of n clients, until all of them have all of it.
func (p Plan) deliver(ctx context.Context, s *server, n int, during time.Duration, send func(*crowd, time.Duration) (int, error)) (Values, error) {
	c, err := newcomers(ctx, s, n)
	if err != nil {
		return nil, err
	}
	defer c.leave()
	deliveries := 0
	deliver := func(during time.Duration) error {
		sent, err := send(c, during)
		if err != nil {
			return err
		}
		deliveries = sent * n
		return c.await(ctx, deliveries)
	}
	if err := deliver(p.Warm); err != nil {
		return nil, err
	}
	c.reset()
	took, used, err := s.measure(func() error { return deliver(during) })
	if err != nil {
		return nil, err
	}
	v := Values{DeliveryRate: float64(deliveries) / took.Seconds()}
	v.cpu(DeliveryCPU, used, deliveries, 1e6)
	v.waits(c.waits(), map[Metric]float64{DeliveryP50: 0.50, DeliveryP99: 0.99})
	return v, nil
}

// publish lets all clients send as fast as they get acks. All of them receive all messages.
func (p Plan) publish(ctx context.Context, s *server, window int) (Values, error) {
	c, err := newcomers(ctx, s, p.PublishClients)
	if err != nil {
		return nil, err
	}
	defer c.leave()
	var acks []time.Duration
	var untilAcked time.Duration
	publish := func(during time.Duration) error {
		began := time.Now()
		sent, boxes, err := c.sendAll(ctx, p.PublishClients, window, false, began.Add(during), unlimited)
		if err != nil {
			return err
		}
		untilAcked = time.Since(began)
		acks = acks[:0]
		for _, o := range boxes {
			acks = append(acks, o.acks...)
		}
		return c.await(ctx, sent*p.PublishClients)
	}
	if err := publish(p.Warm); err != nil {
		return nil, err
	}
	c.reset()
	_, used, err := s.measure(func() error { return publish(p.PublishFor) })
	if err != nil {
		return nil, err
	}
	v := Values{AckRate: float64(len(acks)) / untilAcked.Seconds()}
	v.cpu(AckCPU, used, len(acks), 1e6)
	v.waits(acks, map[Metric]float64{AckP50: 0.50, AckP99: 0.99})
	return v, nil
}

// connect lets clients connect, so many at once, who stay.
func (p Plan) connect(ctx context.Context, s *server) (Values, error) {
	if err := visit(ctx, s, p.Connects/10); err != nil {
		return nil, err
	}
	c := newCrowd(p.Connects)
	defer c.leave()
	took, used, err := s.measure(func() error {
		return c.connect(ctx, s, p.AtOnce, func(int) any { return s.target.newcomer })
	})
	if err != nil {
		return nil, err
	}
	var waits []time.Duration
	for _, m := range c.members {
		waits = append(waits, m.connected)
	}
	v := Values{ConnectRate: float64(p.Connects) / took.Seconds()}
	v.cpu(ConnectCPU, used, p.Connects, 1e3)
	v.waits(waits, map[Metric]float64{ConnectP99: 0.99})
	return v, nil
}

// visit warms a server up with n clients, who go again.
func visit(ctx context.Context, s *server, n int) error {
	c, err := newcomers(ctx, s, n)
	if err != nil {
		return err
	}
	c.leave()
	return s.quiet(ctx)
}
