package progress

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestALongReadingHasALineEveryFiveSecondsAndOneAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := Start(&out, "replay", 4_000_000)
		time.Sleep(4 * time.Second)
		b.Set(1_200_000)
		time.Sleep(7 * time.Second)
		b.Set(3_200_000)
		time.Sleep(2 * time.Second)
		b.Set(4_000_000)
		b.Stop()
		want := "replay: 1,200,000 of 4,000,000 events (30 %), 240,000/s, 12 s left\n" +
			"replay: 1,200,000 of 4,000,000 events (30 %), 0/s\n" +
			"replay: 4,000,000 events in 13 s, 307,692/s\n"
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

func TestAShortReadingSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := Start(&out, "replay", 1000)
		time.Sleep(nextLine - 1)
		b.Set(1000)
		b.Stop()
		b.Stop()
		if out.Len() > 0 {
			t.Errorf("%q", out.String())
		}
	})
}

func TestAReadingOfWhoKnowsHowMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := Start(&out, "replay", 0)
		b.Set(1000)
		time.Sleep(nextLine + time.Second)
		b.Stop()
		if want := "replay: 1,000 events, 200/s\nreplay: 1,000 events in 6 s, 166/s\n"; out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	})
}

func TestTheBarShowsShareRateAndTimeLeftAndLeavesACleanLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := start(&out, newBar(&out, "replay", 4000), repaint)
		time.Sleep(time.Second)
		b.Set(1000)
		time.Sleep(2*time.Second + repaint/2)
		b.Stop()
		painted := strings.Split(out.String(), "\r")
		last := painted[len(painted)-2]
		for _, want := range []string{"replay", "25%", "1000/4000", "events/s", "[3s:"} {
			if !strings.Contains(last, want) {
				t.Errorf("no %q in %q", want, last)
			}
		}
		if !strings.HasSuffix(out.String(), "\x1b[2K\r") || strings.Contains(out.String(), "\n") {
			t.Errorf("it ends with %q", last)
		}
	})
}

func TestLinesAreWrittenAboveTheBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := start(&out, newBar(&out, "replay", 4000), repaint)
		b.Set(1000)
		time.Sleep(repaint + 1)
		fmt.Fprintln(b, "nothing at offset 7")
		time.Sleep(repaint)
		b.Stop()
		fmt.Fprintln(b, "done")
		painted := strings.Split(out.String(), "\x1b[2K\r")
		if len(painted) != 4 || !strings.Contains(painted[0], "25%") || !strings.HasPrefix(painted[1], "nothing at offset 7\n\rreplay") ||
			painted[2] != "" || painted[3] != "done\n" {
			t.Errorf("%q", painted)
		}
	})
}

func TestTheBarOfWhoKnowsHowMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := start(&out, newBar(&out, "replay", 0), repaint)
		b.Set(1000)
		time.Sleep(time.Second)
		b.Set(1234567)
		time.Sleep(time.Second)
		b.Stop()
		if !strings.Contains(out.String(), "1234567") || !strings.Contains(out.String(), "events/s") {
			t.Errorf("%q", out.String())
		}
	})
}

func TestMoreThanThereWereToBe(t *testing.T) {
	if got, want := under("replay", 1200, 1000, 10), "replay: 1,200 of 1,000 events (120 %), 10/s"; got != want {
		t.Errorf("%q", got)
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if terminal(f) || terminal(new(bytes.Buffer)) {
		t.Error("taken for a terminal")
	}
}

func TestNoBarShowsNothing(t *testing.T) {
	var none *Bar
	none.Set(1)
	none.Stop()
}

func TestDurationsForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{
		400 * time.Millisecond: "0 s", 9 * time.Second: "9 s", 65 * time.Second: "1 min 5 s",
		time.Hour - time.Millisecond: "1 h 0 min", 26*time.Hour + 5*time.Minute: "26 h 5 min",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	bar := Start(new(bytes.Buffer), "replay", 0)
	defer bar.Stop()
	for n := uint64(0); b.Loop(); n++ {
		bar.Set(n)
	}
}
