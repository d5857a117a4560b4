// Package faults hurts a deployment by plan: it plans what happens when, from a seed, and carries the plan out.
//
//	Aim (what can be hurt here) ─▶ Plan (pure: seed, length) ─▶ []Step ─▶ Run ─▶ Event, Event, ...
//
// A step is a fault from its begin to its end, when it is healed: the process runs again, the link is clean, the disk has
// room, the clock is right. At most two steps are under way at a time, never two on one target or one process, and of a
// cluster's servers never more than a minority is hurt. When Run returns, all is healed, whatever came between.
//
// What the faults are:
//
//	kill      SIGKILL, and a start after up to 3 s
//	stop      SIGSTOP for 0.2 to 6 s: the process stands still and its connections stay
//	restart   SIGTERM, an orderly stop, and a start
//	cut       a link's connections are reset and new ones refused for up to 3 s
//	delay     what goes over a link is late by 20 to 400 ms, each way
//	drop      what a link's target answers is swallowed for 1 to 3 s, then the connections are reset: appends arrive and
//	          their acks do not
//	slow      a link passes 20 to 200 KB a second and connection
//	disk      a store's disk is full for 1 to 4 s; a nats-server is then restarted, as an operator would, because it goes
//	          on refusing what it once could not write, or has switched JetStream off
//	clock     a process's wall clock jumps, and jumps back after 1 to 6 s
//	leader    the cluster elects a new leader of the stream, of the persisters' consumer, or of itself
//	roll      all gateways, all persisters or all nats-servers of a cluster are restarted one after another, each in order and
//	          not before the one before it is ready, of nats-servers also in sync
//	failover  the persister that projects is killed and stays down until the other one projects; how long that takes is told
//
// Every plan has each roll and a failover, and a long one has them about once a minute.
//
// A clock jumps by up to 26 h at a gateway or a persister, in either direction. At a nats-server it is at most 30 min: the
// log recognises repeated messages for two hours by its own clock, and a jump beyond that is a broken promise of the
// operator's and not a fault that Tidemark could survive. Only the wall clock jumps, as when an operator sets it; timers
// go on.
package faults
