package manifest

import (
	"bytes"

	"gopkg.in/yaml.v3"
)

const yamlSpace = " \t\r\n"

// scalarEnd finds the offset behind a scalar's text, which the library does not tell.
func (r *yamlReader) scalarEnd(n *yaml.Node, start int) int {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return r.doubleQuotedEnd(start)
	case n.Style&yaml.SingleQuotedStyle != 0:
		return r.singleQuotedEnd(start)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		header := r.src.starts[r.src.lineOf(start)] + len(r.src.line(r.src.lineOf(start)))
		if end := r.foldedEnd(n.Value, header); end > header {
			return end
		}
		return start + 1 // an empty block: only its sign
	default:
		return r.foldedEnd(n.Value, start)
	}
}

// foldedEnd walks value and source side by side. Folding and indentation only change white space, so everything else
// has to stand in the source in the same order.
func (r *yamlReader) foldedEnd(value string, at int) int {
	end := at
	for i := range len(value) {
		c := value[i]
		if bytes.IndexByte([]byte(yamlSpace), c) >= 0 {
			continue
		}
		for bytes.IndexByte([]byte(yamlSpace), r.src.at(at)) >= 0 {
			at++
		}
		if r.src.at(at) != c {
			return end // a value of a form not thought of: too short an end is harmless
		}
		at++
		end = at
	}
	return end
}

func (r *yamlReader) singleQuotedEnd(start int) int {
	for i := start + 1; i < len(r.src.text); i++ {
		if r.src.text[i] != '\'' {
			continue
		}
		if r.src.at(i+1) != '\'' {
			return i + 1
		}
		i++
	}
	return len(r.src.text)
}

func (r *yamlReader) doubleQuotedEnd(start int) int {
	for i := start + 1; i < len(r.src.text); i++ {
		switch r.src.text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(r.src.text)
}

// collectionEnd returns the end of a list or map that starts at start and whose last part ends at end: behind the
// closing bracket, or where the last part of a block ends.
func (r *yamlReader) collectionEnd(start, end int) int {
	closing := byte(']')
	switch r.src.at(start) {
	case '{':
		closing = '}'
	case '[':
	default:
		return end
	}
	at := r.src.skip(max(end, start+1), " \t\r\n,:?")
	if r.src.at(at) == closing {
		return at + 1
	}
	return end
}
