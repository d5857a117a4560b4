package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"
)

// oneOf is a flag that takes one of some words.
type oneOf struct {
	value   *string
	allowed []string
}

func (f *oneOf) String() string { return *f.value }
func (f *oneOf) Type() string   { return "form" }

func (f *oneOf) Set(text string) error {
	if !slices.Contains(f.allowed, text) {
		last := len(f.allowed) - 1
		return fmt.Errorf("it must be %s or %s", strings.Join(f.allowed[:last], ", "), f.allowed[last])
	}
	*f.value = text
	return nil
}

// speed is a flag: how many times as fast as it happened. 0: as fast as possible.
type speed float64

// Speeds that are taken: with more, or less, a clock is of no use.
const (
	slowest = 0.01
	fastest = 1e6
)

func (s *speed) Type() string { return "speed" }

func (s *speed) String() string {
	if *s == 0 {
		return "max"
	}
	return strconv.FormatFloat(float64(*s), 'f', -1, 64) + "x"
}

func (s *speed) Set(text string) error {
	if text == "max" {
		*s = 0
		return nil
	}
	number, times := strings.CutSuffix(text, "x")
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !times || math.IsNaN(v) || v < slowest || v > fastest {
		return errors.New("it must be max, or a number with an x: 1x, 10x, 0.5x (0.01x to 1000000x)")
	}
	*s = speed(v)
	return nil
}

// gap is a flag: a time that is not negative.
type gap struct{ value *time.Duration }

func (g *gap) Type() string   { return "duration" }
func (g *gap) String() string { return g.value.String() }

func (g *gap) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("it must be a time such as 5s or 500ms, or 0s")
	}
	*g.value = d
	return nil
}

// onTerminal reports whether what is written is read by a person at once.
func onTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
