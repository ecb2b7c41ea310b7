// Package differential gives the same texts to docker's own code and to runfile and compares what each makes of them:
// whether it takes the text, and if both do, what it means. Where they part, differences_test.go says so and why; any
// other disagreement fails, as does an entry there that nothing needs.
//
// Docker's side is docker create itself, linked into the test, with a daemon that remembers what it was asked for, and
// the daemon's parsers for what the client passes on unread. Its packages are many, hence a module of its own. The
// texts are not samples but small grammars multiplied out, the same in each run.
//
// Compose files are compared in the same way (compose_test.go): what docker compose's own loader makes of one with what
// runfile convert makes of it, place by place. There, what the converter reports need not be equal.
package differential

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/runfile/runfile/schema"
)

// enough is the least number of texts that proves something.
const enough = 1000

// syntax is one value syntax: the texts that are tried and how both sides read them.
type syntax struct {
	name  string                     // what it is the value of; most are options
	texts []string                   // in the order of the grammar
	args  func(text string) []string // the flags that hand the text over
	// docker is what docker create's request says, or the daemon's error.
	docker func(r *request) (string, error)
	// library reads the text instead of docker create, where it is no flag of that.
	library func(text string) (string, error)
	runfile func(c *schema.Container) (string, error)
}

// syntaxes are all that are compared.
var syntaxes = slices.Concat(argumentSyntaxes, processSyntaxes, resourceSyntaxes, deviceSyntaxes, networkSyntaxes, mountSyntaxes, windowsSyntaxes, fileSyntaxes)

// verdict is what one text came to on both sides: a meaning, or why it is refused.
type verdict struct {
	syntax, text, docker, runfile string
	dockerErr, runfileErr         error
}

// compare reads a text twice.
func (s *syntax) compare(text string) verdict {
	v := verdict{syntax: s.name, text: text}
	if s.library != nil {
		v.docker, v.dockerErr = s.library(text)
	} else {
		v.docker, v.dockerErr = dockerCreate(s.args(text), s.docker)
	}
	v.runfile, v.runfileErr = runfileRun(s.args(text), s.runfile)
	return v
}

// kind is how docker and runfile part, "" where they agree.
func (v verdict) kind() kind {
	switch {
	case v.dockerErr != nil && v.runfileErr != nil:
		return ""
	case v.dockerErr != nil:
		return wider
	case v.runfileErr != nil:
		return stricter
	case v.docker != v.runfile:
		return otherwise
	}
	return ""
}

// String shows both sides.
func (v verdict) String() string {
	side := func(meaning string, err error) string {
		if err != nil {
			first, _, _ := strings.Cut(err.Error(), "\n")
			return "refuses it: " + first
		}
		return "reads " + meaning
	}
	return fmt.Sprintf("%q\n\tdocker  %s\n\trunfile %s", v.text, side(v.docker, v.dockerErr), side(v.runfile, v.runfileErr))
}

// outcome is what comparing everything came to.
type outcome struct {
	unexplained map[string][]verdict      // of a syntax
	texts       map[*difference][]verdict // what a difference explains, in the order of the tables
}

// compareAll reads every text of every syntax, once for all tests.
var compareAll = sync.OnceValue(func() outcome {
	o := outcome{unexplained: map[string][]verdict{}, texts: map[*difference][]verdict{}}
	for i := range syntaxes {
		s := &syntaxes[i]
		for _, text := range s.texts {
			v := s.compare(text)
			if v.kind() == "" {
				continue
			}
			if d := explain(s.name, v); d != nil {
				o.texts[d] = append(o.texts[d], v)
			} else {
				o.unexplained[s.name] = append(o.unexplained[s.name], v)
			}
		}
	}
	return o
})

func TestSyntaxes(t *testing.T) {
	for _, s := range syntaxes {
		t.Run(s.name, func(t *testing.T) {
			for _, v := range compareAll().unexplained[s.name] {
				t.Errorf("%v", v)
			}
		})
	}
}

func TestDifferencesAreNeeded(t *testing.T) {
	for i := range differences {
		d := &differences[i]
		for _, name := range d.syntaxes {
			if !slices.ContainsFunc(compareAll().texts[d], func(v verdict) bool { return v.syntax == name }) {
				t.Errorf("no text of %s needs this: docker %s, runfile %s", name, d.docker, d.runfile)
			}
		}
	}
}

func TestTextsAreEnough(t *testing.T) {
	for _, s := range syntaxes {
		distinct := slices.Compact(slices.Sorted(slices.Values(s.texts)))
		if len(distinct) != len(s.texts) {
			t.Errorf("%s has %d texts, %d of them different", s.name, len(s.texts), len(distinct))
		}
		t.Logf("%5d %s", len(s.texts), s.name)
	}
	t.Logf("%5d in all", total())
	if total() < enough {
		t.Errorf("%d texts, want at least %d", total(), enough)
	}
}

// total is the number of texts.
func total() (n int) {
	for _, s := range syntaxes {
		n += len(s.texts)
	}
	return n
}
