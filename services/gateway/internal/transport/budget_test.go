package transport

import (
	"testing"
	"testing/synctest"
)

func TestBudgetWaitsForARelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &budget{maxEvents: 2, maxBytes: 100}
		if !b.acquire(60, nil) || !b.acquire(40, nil) {
			t.Fatal("within the budget")
		}
		acquired := make(chan bool, 3)
		acquire := func(size int) { acquired <- b.acquire(size, nil) }
		first, second := b.begin(), b.begin()

		go acquire(10)
		synctest.Wait()
		if len(acquired) != 0 {
			t.Fatal("a third event")
		}
		second() // 40 bytes
		if !<-acquired {
			t.Fatal("not acquired")
		}
		go acquire(50)
		synctest.Wait()
		first()
		first()
		if !<-acquired || b.events != 2 || b.bytes != 60 {
			t.Fatalf("%d events, %d bytes", b.events, b.bytes)
		}
		go acquire(1)
		synctest.Wait()
		b.close()
		if <-acquired {
			t.Fatal("acquired of a closed budget")
		}
		cancel := make(chan struct{})
		c := &budget{maxEvents: 1, maxBytes: 1}
		c.acquire(1000, cancel)
		go func() { acquired <- c.acquire(1, cancel) }()
		synctest.Wait()
		close(cancel)
		if <-acquired {
			t.Fatal("acquired after cancelling")
		}
	})
}
