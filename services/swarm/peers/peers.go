// Package peers measures Tidemark beside what people would run instead of it: Socket.IO's Node.js server plain, the
// server of Socket.IO's chat tutorial with SQLite, and Socket.IO with the Redis Streams adapter.
//
//	Options ─▶ Run ─ for each round, scenario and target ─▶ fresh server ─▶ scenario ─▶ Sample
//	                                                                                      │
//	docs/benchmarks.md ◀─ Document ◀─ Judge (the bars) ◀──────────── Results (as JSON) ◀──╯
//
// It promises that all are measured alike: the same clients in this process, the same messages, one server at a time on
// an empty directory, in rounds whose order rotates. What is compared are medians over the rounds; all numbers of all
// rounds are kept. A bar that is missed is told as one.
//
// It needs Linux, whose /proc tells what a process costs.
package peers

import "time"

// Plan is how much of everything is done. Durations are of what is measured; the warm-up comes on top.
//
// At full speed a message is in flight until its publisher has its ack and has received it himself. An ack alone would
// not do: a server that acks before it delivers would be sent more and more than it can deliver, and what was measured
// would be how long its queue becomes.
type Plan struct {
	Warm time.Duration // before each measurement, the same is done for as long without being measured

	FanOut     []int         // clients in the room, one scenario for each
	FanOutFor  time.Duration // at full speed
	Publishers int           // of the clients in the room
	Window     int           // messages that each publisher has in flight

	Paced    []Pace // one scenario for each
	PacedFor time.Duration

	PublishClients int
	PublishWindows []int // messages in flight of each client, one scenario for each
	PublishFor     time.Duration

	Connects int // in all
	AtOnce   int // of them

	IdleClients int
	StableFor   time.Duration // memory counts as stable when it has been for as long

	Returning int // clients that come back at once
	History   int // messages in the room that they have had
	Missed    int // messages that each has missed
}

// Pace is a fixed rate of messages to a room.
type Pace struct {
	Clients   int
	PerSecond int
}

// Full is what counts.
func Full() Plan {
	return Plan{
		Warm:   time.Second,
		FanOut: []int{200, 1000}, FanOutFor: 3 * time.Second, Publishers: 4, Window: 64,
		Paced: []Pace{{200, 50}, {1000, 10}}, PacedFor: 4 * time.Second,
		PublishClients: 50, PublishWindows: []int{1, 8}, PublishFor: 3 * time.Second,
		Connects: 4000, AtOnce: 64,
		IdleClients: 2000, StableFor: 3 * time.Second,
		Returning: 1000, History: 1000, Missed: 100,
	}
}

// Quick shows in seconds that everything works. Its numbers mean nothing.
func Quick() Plan {
	return Plan{
		Warm:   100 * time.Millisecond,
		FanOut: []int{20, 50}, FanOutFor: 300 * time.Millisecond, Publishers: 2, Window: 4,
		Paced: []Pace{{50, 50}, {100, 20}}, PacedFor: 500 * time.Millisecond,
		PublishClients: 10, PublishWindows: []int{1, 8}, PublishFor: 300 * time.Millisecond,
		Connects: 300, AtOnce: 20,
		IdleClients: 300, StableFor: 300 * time.Millisecond,
		Returning: 200, History: 50, Missed: 100,
	}
}
