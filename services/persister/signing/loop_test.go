package signing

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidemark-chat/tidemark/streams/fault"
)

// In these tests time.Sleep costs no time, and lets everything happen that happens meanwhile.

func TestEventsAreSignedWhenThereAreEnoughOrTheyHaveWaitedLongEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1)
		defer r.stop()
		for _, step := range []struct {
			grows uint64
			sleep time.Duration
			want  []uint64
		}{
			{0, time.Hour, nil},
			{3, look, []uint64{3}},                            // after a long silence at once
			{3, 9 * time.Second, []uint64{3}},                 // too few, too soon
			{0, 2 * look, []uint64{3, 6}},                     // it is time
			{25, look, []uint64{3, 6, 16, 26}},                // enough
			{0, 10 * time.Second, []uint64{3, 6, 16, 26, 31}}, // and the rest in time
		} {
			r.grows(step.grows)
			time.Sleep(step.sleep)
			synctest.Wait()
			if got := r.ledger.sizes(); !slices.Equal(got, step.want) {
				t.Fatalf("%+v: %v", step, got)
			}
		}
		if r.Report() != (Report{Size: 31}) || value(t, r.metrics.size) != 31 || value(t, r.metrics.checkpoints) != 5 || value(t, r.metrics.failures) != 0 {
			t.Errorf("%+v", r.Report())
		}
	})
}

func TestWhatIsLeftIsSignedAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1)
		r.grows(1)
		time.Sleep(look)
		r.grows(4)
		synctest.Wait()
		r.stop()
		if got := r.ledger.sizes(); !slices.Equal(got, []uint64{1, 5}) {
			t.Errorf("%v", got)
		}
	})
}

func TestALedgerThatHangsHoldsUpTheEndForSecondsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1)
		r.ledger.hangs = true
		r.grows(100)
		time.Sleep(look + time.Millisecond) // it is appending
		began := time.Now()
		r.stop()
		if took := time.Since(began); took > 2*appendTimeout {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAStandbySignsNothingUntilItTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := start(t, 1)
		second := startOn(t, testOptions(t), first.log, first.ledger)
		second.options.Key = first.options.Key
		second.leads(false)
		first.grows(10)
		time.Sleep(time.Minute)
		if got := value(t, second.metrics.checkpoints); got != 0 {
			t.Fatalf("%v", got)
		}
		first.leads(false)
		second.leads(true)
		first.grows(5)
		time.Sleep(2 * time.Minute)
		first.grows(5)
		first.stop()
		second.stop()
		if got := first.ledger.sizes(); !slices.Equal(got, []uint64{10, 15, 20}) {
			t.Errorf("%v", got)
		}
		if got := value(t, second.metrics.checkpoints); got != 2 {
			t.Errorf("the second one signed %v times", got)
		}
	})
}

func TestOfTwoThatSignOneIsQuickerAndTheOtherGoesOnFromThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := testOptions(t)
		one := start(t, 1)
		one.stop()
		one = startOn(t, options, one.log, one.ledger)
		two := startOn(t, options, one.log, one.ledger)
		for range 50 {
			one.grows(7)
			time.Sleep(3 * time.Second)
		}
		time.Sleep(time.Minute)
		one.stop()
		two.stop()
		checkChain(t, one.ledger.entries, one.log.expected(350), options)
		if one.said.count("quicker")+two.said.count("quicker") == 0 {
			t.Error("they did not meet")
		}
		if failures := value(t, one.metrics.failures) + value(t, two.metrics.failures); failures != 0 {
			t.Errorf("%v failures", failures)
		}
	})
}

func TestAFaultIsTriedAgainEverMoreSeldomAndSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1)
		defer r.stop()
		r.ledger.change(func() { r.ledger.fails = fault.New("append", fault.Temporary, errors.New("the disk is full")) })
		r.grows(1000)
		time.Sleep(9 * time.Minute)
		tried := r.ledger.tried()
		if said := r.said.count("the disk is full"); tried < 9 || tried > 20 || said != 1 {
			t.Errorf("%d attempts, said %d times", tried, said)
		}
		if got := value(t, r.metrics.failures); got != float64(tried) {
			t.Errorf("%v failures counted of %d", got, tried)
		}
		r.ledger.change(func() { r.ledger.fails = nil })
		time.Sleep(maxBackoff + look)
		if got := r.ledger.sizes(); len(got) != 100 || got[99] != 1000 {
			t.Errorf("%v", got)
		}
	})
}

func TestALogThatFallsSilentIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1)
		r.log.change(func() { r.log.silent = 5 })
		r.grows(10)
		time.Sleep(3 * (silence + look))
		synctest.Wait()
		if r.log.readings < 3 || value(t, r.metrics.failures) != 2 || r.said.count("WARN", "sent nothing") != 1 {
			t.Errorf("%d readings, said %s", r.log.readings, r.said.text.String())
		}
		r.log.change(func() { r.log.silent = 0 })
		time.Sleep(2 * silence)
		r.stop()
		checkChain(t, r.ledger.entries, r.log.expected(10), r.options)
	})
}

func TestALedgerThatMustNotBeUsedIsAProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1)
		defer r.stop()
		r.ledger.change(func() { r.ledger.fails = fault.New("append", fault.Permanent, errors.New("it allows deletes")) })
		r.grows(1)
		time.Sleep(5 * time.Minute)
		if r.Report().Problem == "" || value(t, r.metrics.problem) != 1 || r.said.count("ERROR", "it allows deletes") != 1 {
			t.Errorf("%+v", r.Report())
		}
		r.ledger.change(func() { r.ledger.fails = nil })
		time.Sleep(refusedEvery)
		if r.Report() != (Report{Size: 1}) || value(t, r.metrics.problem) != 0 {
			t.Errorf("%+v", r.Report())
		}
	})
}

func TestABacklogIsSignedInPortions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := testOptions(t)
		options.Every = 4000
		log := &fakeLog{lost: map[uint64]int{}}
		log.state.Epoch, log.state.Last = "e1", 3*maxPortion+5
		r := startOn(t, options, log, &fakeLedger{})
		time.Sleep(time.Millisecond) // not a look
		synctest.Wait()
		sizes := r.ledger.sizes()
		if want := log.state.Last / 4000 * 4000; log.readings != 4 || sizes[len(sizes)-1] != want || len(sizes) != int(want/4000) {
			t.Errorf("%d portions, %d entries through %d of %d", log.readings, len(sizes), sizes[len(sizes)-1], want)
		}
		r.stop()
		if sizes := r.ledger.sizes(); sizes[len(sizes)-1] != log.state.Last {
			t.Errorf("signed through %d", sizes[len(sizes)-1])
		}
	})
}
