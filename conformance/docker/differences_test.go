package docker

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// differences is the written list. A line of testdata/differences.txt is
//
//	SIGN [CASE] FACT
//
// where SIGN is - for what only docker shows and + for what only runfile shows, CASE (in brackets, optional) is a regular
// expression for the runtime and the options of a case, and FACT is one for the whole fact. Lines above it that start with # are the
// reason, which every group of lines needs.
type differences struct {
	entries []*entry
}

type entry struct {
	sign   string
	cases  *regexp.Regexp
	fact   *regexp.Regexp
	text   string
	used   bool
	reason string
}

func readDifferences(t *testing.T, file string) *differences {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	list, reason, inReason := new(differences), "", false
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if comment, ok := strings.CutPrefix(line, "#"); ok {
			if !inReason {
				reason = ""
			}
			reason, inReason = reason+comment, true
			continue
		}
		inReason = false
		if line == "" {
			reason = ""
			continue
		}
		sign, rest, _ := strings.Cut(line, " ")
		e := &entry{sign: sign, text: line, reason: reason, cases: regexp.MustCompile("")}
		if after, ok := strings.CutPrefix(rest, "["); ok {
			pattern, fact, _ := strings.Cut(after, "] ")
			e.cases, rest = regexp.MustCompile(pattern), fact
		}
		e.fact = regexp.MustCompile("^(?:" + rest + ")$")
		if (sign != "-" && sign != "+") || reason == "" {
			t.Fatalf("%s: %q: want - or +, below a reason", file, line)
		}
		list.entries = append(list.entries, e)
	}
	return list
}

// check reports each fact that only one side has and that the list does not explain.
func (d *differences) check(t *testing.T, options string, docker, runfile []string) {
	t.Helper()
	for sign, facts := range map[string][]string{"-": missing(docker, runfile), "+": missing(runfile, docker)} {
		for _, fact := range facts {
			if !d.explains(sign, options, fact) {
				t.Errorf("%s [%s] %s", sign, options, fact)
			}
		}
	}
}

// explains marks all entries that cover a difference.
func (d *differences) explains(sign, options, fact string) bool {
	found := false
	for _, e := range d.entries {
		if e.sign == sign && e.cases.MatchString(options) && e.fact.MatchString(fact) {
			e.used, found = true, true
		}
	}
	return found
}

// reportUnused: a difference that is no more must leave the list.
func (d *differences) reportUnused(t *testing.T) {
	t.Helper()
	for _, e := range d.entries {
		if !e.used {
			t.Errorf("no such difference any more: %s", e.text)
		}
	}
}

// missing lists what a has and b has not, with multiplicity. Both are sorted.
func missing(a, b []string) []string {
	rest := slices.Clone(b)
	var only []string
	for _, fact := range a {
		if i, found := slices.BinarySearch(rest, fact); found {
			rest = slices.Delete(rest, i, i+1)
		} else {
			only = append(only, fact)
		}
	}
	return only
}
