package words

import "testing"

func TestNumbersAsPeopleReadThem(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(-1234567), "-1,234,567"},
		{Rate(0), "0"}, {Rate(1.54), "1.5"}, {Rate(9.96), "10"}, {Rate(12345.6), "12,346"}, {Rate(3), "3"},
		{Millis(0), "0"}, {Millis(0.85), "850 µs"}, {Millis(0.9999), "1.00 ms"}, {Millis(1.254), "1.25 ms"},
		{Millis(12.54), "12.5 ms"}, {Millis(125.4), "125 ms"}, {Millis(999.9), "1.00 s"}, {Millis(3104), "3.10 s"}, {Millis(31040), "31.0 s"},
		{Short(0), "0"}, {Short(250), "250"}, {Short(0.25), "0.25"}, {Short(1500), "1.5k"}, {Short(20e6), "20M"}, {Short(-3e9), "-3G"},
		{Clock(65.9), "01:05"}, {Clock(3723), "1:02:03"},
		{Cut("äbcd", 4), "äbcd"}, {Cut("äbcde", 4), "äbc…"}, {Cut("a", 0), ""},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestNothingThatATerminalWouldObeyRemains(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain — ünï 漢", "plain — ünï 漢"},
		{"a\x1b[2Jb\r\n\tc", `a\x1b[2Jb\r\n\tc`},
		{"\xff\x00\u202e\u009b", `\xff\x00\u202e\u009b`},
		{"\ufffd", "\ufffd"},
	} {
		if got := Printable(c.in); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
