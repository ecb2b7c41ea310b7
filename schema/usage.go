package schema

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// usageLine is a flag as the help of `runfile run` prints it.
type usageLine struct {
	name, short, arg, help, def string
	own                         bool
}

// RunUsage prints the help of `runfile run`: docker run's flags in docker's order and words, without those that
// runfile does not honour yet, then runfile's own.
func RunUsage(w io.Writer) {
	lines := usageLines()
	width := 0
	for _, l := range lines {
		width = max(width, len(l.left()))
	}
	var b strings.Builder
	b.WriteString("Usage:  runfile run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun a command in a new container\n\nOptions:\n")
	own := false
	for _, l := range lines {
		if l.own && !own {
			own = true
			b.WriteString("\nOptions that docker run does not have:\n")
		}
		first, rest, _ := strings.Cut(l.help, "\n")
		if l.def != "" {
			first += " (default " + l.def + ")"
		}
		fmt.Fprintf(&b, "%-*s   %s\n", width, l.left(), first)
		for line := range strings.SplitSeq(rest, "\n") {
			if line != "" {
				fmt.Fprintf(&b, "%*s   %s\n", width, "", line)
			}
		}
	}
	_, _ = io.WriteString(w, b.String()) // help that nobody can read is no failure
}

// left is the column of the flag: "  -a, --attach value".
func (l usageLine) left() string {
	s := "      --"
	if l.short != "" {
		s = "  -" + l.short + ", --"
	}
	s += l.name
	switch {
	case strings.HasPrefix(l.arg, "="):
		s += l.arg
	case l.arg != "":
		s += " " + l.arg
	}
	return s
}

func usageLines() []usageLine {
	var lines []usageLine
	for _, r := range rows {
		if !r.NoFlag {
			lines = append(lines, usageLine{r.Name, r.Short, r.Arg, r.Help, r.Default, r.Own})
		}
	}
	for _, f := range runFlags {
		lines = append(lines, usageLine{f.name, f.short, f.arg, f.help, f.def, f.own})
	}
	place := func(l usageLine) int {
		switch i := slices.Index(referenceOrder, l.name); {
		case i >= 0:
			return i
		case l.own:
			return len(referenceOrder) + 1
		}
		return len(referenceOrder)
	}
	slices.SortStableFunc(lines, func(a, b usageLine) int { return place(a) - place(b) })
	return lines
}

// FlagUsage is a flag of `runfile run`, for the manual.
type FlagUsage struct {
	Name    string
	Short   string // one letter, or ""
	Arg     string // docker's word for the argument; "" for switches, "=10" for stop-timeout
	Help    string // lines are separated by \n
	Default string // as docker prints it, or ""
	Own     bool   // docker run has none of that name
}

// RunFlagUsages returns the flags of `runfile run`: docker run's in the order of its help, then runfile's own.
func RunFlagUsages() []FlagUsage {
	lines := usageLines()
	out := make([]FlagUsage, len(lines))
	for i, l := range lines {
		out[i] = FlagUsage{l.name, l.short, l.arg, l.help, l.def, l.own}
	}
	return out
}
