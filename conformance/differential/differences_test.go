package differential

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/docker/go-units"
)

// kind is how docker and runfile part.
type kind string

const (
	stricter  kind = "stricter"  // docker takes the text, runfile refuses it
	wider     kind = "wider"     // docker refuses the text, runfile takes it
	otherwise kind = "otherwise" // both take it and mean different things
)

// difference is a deliberate one: which texts of which syntaxes it is about, what both do, and why.
type difference struct {
	syntaxes []string
	kind     kind
	texts    func(text string) bool
	docker   string
	runfile  string
	why      reason
}

// reason is why runfile parts from docker, and where the specification decides it, "" if it only follows from the rule
// that slips are found.
type reason struct{ because, decided string }

// explain returns the difference that covers a verdict, or nil.
func explain(syntax string, v verdict) *difference {
	for i := range differences {
		d := &differences[i]
		if d.kind == v.kind() && slices.Contains(d.syntaxes, syntax) && d.texts(v.text) {
			return d
		}
	}
	return nil
}

// of names syntaxes.
func of(names ...string) []string { return names }

// like are texts that match an expression from end to end.
func like(expr string) func(string) bool {
	return regexp.MustCompile(`^(?s:` + expr + `)$`).MatchString
}

// span is a stretch of numbers, both ends included.
type span struct{ low, high int64 }

// outside are decimal numbers in none of the spans.
func outside(spans ...span) func(string) bool {
	return func(text string) bool {
		n, err := strconv.ParseInt(text, 10, 64)
		return err == nil && !slices.ContainsFunc(spans, func(s span) bool { return s.low <= n && n <= s.high })
	}
}

// below are sizes greater than 0 and less than n.
func below(n int64) func(string) bool {
	return func(text string) bool {
		got, err := units.RAMInBytes(text)
		return err == nil && 0 < got && got < n
	}
}

var differences = slices.Concat(scalarDifferences, processDifferences, deviceDifferences, networkDifferences, mountDifferences, pairDifferences)
