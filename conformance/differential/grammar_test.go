package differential

import (
	"slices"
	"strings"
)

// words are alternatives without spaces; ” stands for nothing.
func words(list string) []string {
	out := strings.Fields(list)
	for i, w := range out {
		if w == "''" {
			out[i] = ""
		}
	}
	return out
}

// each multiplies out: a text for every way to choose one alternative of each part.
func each(parts ...[]string) []string {
	out := []string{""}
	for _, part := range parts {
		var longer []string
		for _, begin := range out {
			for _, end := range part {
				longer = append(longer, begin+end)
			}
		}
		out = longer
	}
	return out
}

// all joins lists of texts; what several hold comes once.
func all(lists ...[]string) []string {
	var out []string
	seen := map[string]bool{}
	for _, text := range slices.Concat(lists...) {
		if !seen[text] {
			seen[text] = true
			out = append(out, text)
		}
	}
	return out
}

// text is a list of one.
func text(s string) []string { return []string{s} }
