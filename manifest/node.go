package manifest

import "github.com/runfile/runfile/manifest/diag"

// Kind is the shape of a Node.
type Kind uint8

// The kinds. Null is a key without a value (YAML only).
const (
	Null Kind = iota
	Scalar
	List
	Map
)

// ScalarType is what an unquoted scalar would be in its file format. Quoted text is always String. The schema uses it
// only to tell `privileged: true` from `privileged: "true"`; values are parsed from Text.
type ScalarType uint8

// The scalar types.
const (
	String ScalarType = iota
	Int
	Float
	Bool
)

// Node is one located value of a manifest. YAML and TOML files that say the same give the same tree, apart from
// positions.
type Node struct {
	Kind Kind
	Type ScalarType
	// Text of a Scalar as it stands in the file, quotes and escapes resolved and ${...} replaced: `1.10` stays
	// "1.10" and `0755` stays "0755".
	Text string
	// Expanded says that ${...} was replaced in Text. Its Type is String, but a schema should read it as if the
	// value stood there unquoted: `privileged: ${PRIVILEGED}`.
	Expanded bool
	// Broken says that something is wrong with the value that has been reported: ${...} in Text that could not be
	// replaced, a key of the Map that is no word, a template that a container extends in vain. The value means nothing, and a second error about it would mislead.
	Broken  bool
	Items   []*Node // of a List
	Entries []Entry // of a Map, in file order; keys are unique
	Range   diag.Range
}

// Entry is one key of a Map.
type Entry struct {
	Key      string
	KeyRange diag.Range
	Value    *Node
}

// Get returns the value of a Map's key, or nil.
func (n *Node) Get(key string) *Node {
	if e := n.Entry(key); e != nil {
		return e.Value
	}
	return nil
}

// Entry returns a Map's entry of that key, or nil.
func (n *Node) Entry(key string) *Entry {
	if n == nil {
		return nil
	}
	for i := range n.Entries {
		if n.Entries[i].Key == key {
			return &n.Entries[i]
		}
	}
	return nil
}

// kindName names the shape in messages.
func (n *Node) kindName() string {
	switch n.Kind {
	case List:
		return "a list"
	case Map:
		return "a map"
	case Scalar:
		return "a single value"
	default:
		return "empty"
	}
}
