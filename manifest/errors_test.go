package manifest

import (
	"testing"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/manifest/diag/diagtest"
)

// loadFile loads one file with a small environment.
func loadFile(path string) (diag.List, diag.Sources) {
	doc, d := Load(Options{
		Files: []string{path}, Repeatable: repeatable,
		LookupEnv: environment(map[string]string{"HOME": "/home/me"}),
	})
	return d, doc.Sources
}

func TestErrorFixtures(t *testing.T) { diagtest.Run(t, "testdata/errors", loadFile) }

func TestExamples(t *testing.T) { diagtest.Examples(t, loadFile) }
