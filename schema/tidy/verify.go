package tidy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
)

// verify demands that two trees say the same, apart from the order of keys and lists of one.
func verify(before, after *manifest.Node, d diag.List) error {
	if d.HasErrors() || after == nil {
		return errors.New("its normal form would not be valid")
	}
	if at := difference(before, after); at != nil {
		return fmt.Errorf("its normal form would say something else for line %d", at.Range.Start.Line)
	}
	return nil
}

// difference returns the first node of a that b says differently.
func difference(a, b *manifest.Node) *manifest.Node {
	if a.Kind == manifest.Scalar && b.Kind == manifest.List && len(b.Items) == 1 {
		b = b.Items[0]
	}
	if a.Kind != b.Kind || a.Type != b.Type || a.Text != b.Text || len(a.Items) != len(b.Items) || len(a.Entries) != len(b.Entries) {
		return a
	}
	for i := range a.Items {
		if at := difference(a.Items[i], b.Items[i]); at != nil {
			return at
		}
	}
	values := map[string]*manifest.Node{}
	for _, e := range b.Entries {
		values[e.Key] = e.Value
	}
	for _, e := range a.Entries {
		other := values[e.Key]
		if other == nil {
			return e.Value
		}
		if at := difference(e.Value, other); at != nil {
			return at
		}
	}
	return nil
}

// verifyComments demands that a text has exactly these comments.
func verifyComments(text string, isTOML bool, want []string) error {
	var got []string
	if isTOML {
		got = readTOML(text).comments()
	} else if d, err := readYAML(text); err == nil {
		got = d.comments()
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		return errors.New("its normal form would lack a comment")
	}
	return nil
}
