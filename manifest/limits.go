package manifest

import (
	"fmt"

	"github.com/runfile/runfile/manifest/diag"
)

// Limits of what is read. Runfiles come from repositories and are read as root in CI, so a hostile one must end in an
// error, not in a full memory; the libraries' own limits come too late (they accept 0.4 KB that expand to gigabytes, and
// some of their work is quadratic).
const (
	maxFileSize  = 1 << 20   // bytes of one file
	maxNodes     = 200_000   // values of a manifest, with aliases and templates expanded
	maxDepth     = 64        // nested lists and maps
	maxScalar    = 256 << 10 // bytes of one value
	maxText      = 16 << 20  // bytes of all values together
	maxKeys      = 10_000    // keys of one map
	maxKeyLength = 1 << 10   // bytes of one key
	maxFiles     = 100       // files of one manifest
	maxTotal     = 4 << 20   // bytes of all files together
	maxWork      = 2_000_000 // entries and items copied while merging; `extends` may name one template many times
	maxFindings  = 200       // diagnostics after which reading stops, as only the first are shown
)

var (
	tooManyKeys  = fmt.Sprintf("this section has more than %d keys", maxKeys)
	tooManyNodes = fmt.Sprintf("the runfile has more than %d values once anchors and templates are put in", maxNodes)
	tooDeep      = fmt.Sprintf("lists and maps are nested more than %d deep", maxDepth)
)

// budget counts what a tree has cost so far.
type budget struct {
	nodes, text int
	spent       bool // a limit has been passed and reported
}

// node counts one value of that many bytes at that depth, and returns which limit it passes.
func (b *budget) node(text, depth int) string {
	b.nodes++
	b.text += text
	why := ""
	switch {
	case b.spent:
		return ""
	case b.nodes > maxNodes:
		why = tooManyNodes
	case depth > maxDepth:
		why = tooDeep
	case text > maxScalar:
		why = fmt.Sprintf("this value is longer than %d KiB", maxScalar>>10)
	case b.text > maxText:
		why = fmt.Sprintf("the values of the runfile are longer than %d MiB together", maxText>>20)
	}
	b.spent = why != ""
	return why
}

// tree counts a whole tree, and returns which limit it passes.
func (b *budget) tree(n *Node, depth int) string {
	if why := b.node(len(n.Text), depth); why != "" {
		return why
	}
	if len(n.Entries) > maxKeys {
		b.spent = true
		return tooManyKeys
	}
	for _, it := range n.Items {
		if why := b.tree(it, depth+1); why != "" {
			return why
		}
	}
	for _, e := range n.Entries {
		if why := b.tree(e.Value, depth+1); why != "" {
			return why
		}
	}
	return ""
}

func checkSize(s *source) (d diag.List) {
	if len(s.text) > maxFileSize {
		d.Errorf(CodeLimit, diag.Range{File: s.file}, "this file is larger than %d KiB", maxFileSize>>10).
			WithHelp("split it with `include`")
	}
	return d
}

// keySet finds duplicate keys.
type keySet map[string]Entry

// add records a key, or reports that it is there already.
func (k keySet) add(e Entry, d *diag.List) bool {
	if first, found := k[e.Key]; found {
		duplicateKey(d, e, first)
		return false
	}
	k[e.Key] = e
	return true
}

func duplicateKey(d *diag.List, e, first Entry) {
	d.Errorf(CodeDuplicateKey, e.KeyRange, "the key %q stands here twice", e.Key).
		Also(first.KeyRange, "first here").
		WithHelp("keep one of the two")
}

// missing returns those entries whose key is not in the set, and adds them.
func (k keySet) missing(entries []Entry) []Entry {
	var out []Entry
	for _, e := range entries {
		if _, found := k[e.Key]; !found {
			k[e.Key] = e
			out = append(out, e)
		}
	}
	return out
}
