package planner_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/runfile/runfile/manifest/diag/diagtest"
)

// fixtureDirs hold the fixtures of all stages.
var fixtureDirs = []string{"../manifest/testdata/errors", "../schema/testdata/errors", "testdata/errors"}

// TestFixtures checks the fixtures of the planner, and the words and places of those of the other stages with everything
// that validate says about them.
func TestFixtures(t *testing.T) {
	diagtest.Run(t, "testdata/errors", validate)
	for _, dir := range fixtureDirs {
		for _, path := range diagtest.Fixtures(t, dir) {
			l, sources := validate(path)
			if len(l) == 0 {
				t.Errorf("%s is about no mistake", path)
			}
			diagtest.Words(t, l, sources)
		}
	}
}

// fragments are put into documents to break them.
var fragments = []string{
	"\"", "'", "[", "]", "{", "}", ":", " ", "\n", "\t", "#", "-", "- ", "=", ",", "&a ", "*a", "!x ", "|", ">", "%", "@", "`", "\\", "$",
	"${", "${A}", "${A:-", "$$", "{{ a }}", "\u00a0", "\u201c", "\u200b", "\ufeff", "\x00", "\x1b", "\r", "\xff", "日本", "0", "-1", "1.10", "0755",
	"1e999", "99999999999999999999", "true", "no", "null", "~", "ports", "image: a", "memory = 1g", "<<: *x", "---\n", "? ", "  ", "/", "//",
	"[containers.x]\n", "[[containers]]\n", "include: x.yaml\n", "version: 2\n", "x-a: 1\n", "c:\\foo:d:", "2026-13-01", "inf", "nan",
}

// broken draws a document that was one of the fixtures.
func broken(t *rapid.T, fixtures []string, texts map[string]string) (ext, text string) {
	path := rapid.SampledFrom(fixtures).Draw(t, "fixture")
	text = texts[path]
	for range rapid.IntRange(1, 3).Draw(t, "changes") {
		at := rapid.IntRange(0, len(text)).Draw(t, "at")
		end := min(len(text), at+rapid.IntRange(0, 6).Draw(t, "length"))
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			text = text[:at] + text[end:]
		case 1:
			text = text[:at] + text[at:end] + text[at:end] + text[end:]
		default:
			text = text[:at] + rapid.SampledFrom(fragments).Draw(t, "fragment") + text[end:]
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "cut") == 0 {
		text = text[:rapid.IntRange(0, len(text)).Draw(t, "to")]
	}
	return filepath.Ext(path), text
}

// TestBrokenDocuments demands that no text, however broken, makes a message speak of the inside of the program or point
// outside of the file.
func TestBrokenDocuments(t *testing.T) {
	texts := map[string]string{}
	var fixtures []string
	for _, dir := range fixtureDirs {
		for _, path := range diagtest.Fixtures(t, dir) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[path] = string(text)
			fixtures = append(fixtures, path)
		}
	}
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		for range 30 {
			ext, text := broken(t, fixtures, texts)
			path := filepath.Join(dir, "runfile"+ext)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			l, sources := validate(path)
			if p := diagtest.Problems(l, sources); len(p) > 0 {
				t.Fatalf("%s\n%s", strings.Join(p, "\n"), text)
			}
		}
	})
}
