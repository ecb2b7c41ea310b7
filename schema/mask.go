package schema

import (
	"io"
	"strings"
)

// Mask says what WriteMasked hides.
type Mask struct {
	Values []string              // texts that are hidden wherever they stand in the value of an option
	Secret func(key string) bool // reports whether the value of that key of an option like env or log-opt is hidden
	Text   string                // takes the place of what is hidden
}

// WriteMasked is WriteManifest without secrets. It reports whether there were any.
func WriteMasked(w io.Writer, p *Project, format string, m Mask) (masked bool, err error) {
	tree := manifestTree(p)
	k := &masker{mask: m}
	for i, section := range tree {
		o, ok := section.value.(object)
		if !ok {
			continue
		}
		for j, entry := range o {
			if options, ok := entry.value.(object); ok {
				o[j].value = k.options(options)
			}
		}
		tree[i].value = o
	}
	return k.found, writeTree(w, tree, format)
}

type masker struct {
	mask  Mask
	found bool
}

// options hides what is secret in the options of a container, a network or a volume.
func (k *masker) options(list object) object {
	out := make(object, len(list))
	for i, m := range list {
		row := rowByName[m.key]
		pairs := row != nil && row.Kind == Map || m.key == "opt" // of volumes
		out[i] = member{m.key, k.value(m.value, pairs)}
	}
	return out
}

func (k *masker) value(v any, pairs bool) any {
	switch v := v.(type) {
	case string:
		return k.text(v, pairs)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = k.value(v[i], pairs)
		}
		return out
	case object:
		out := make(object, len(v))
		for i, m := range v {
			out[i] = member{m.key, k.value(m.value, false)}
		}
		return out
	}
	return v
}

// shortSecret is up to how many bytes a secret is looked for as a whole value only: hiding each `a` would hide nothing
// and spoil everything.
const shortSecret = 3

func (k *masker) text(s string, pair bool) string {
	before, value := "", s
	if key, v, ok := strings.Cut(s, "="); pair && ok {
		before, value = key+"=", v
	}
	hidden := value
	for _, secret := range k.mask.Values {
		secret = escapeText(secret)
		switch {
		case secret == "":
		case secret == value:
			hidden = k.mask.Text
		case len(secret) > shortSecret:
			hidden = strings.ReplaceAll(hidden, secret, k.mask.Text)
		}
	}
	if key := strings.TrimSuffix(before, "="); before != "" && value != "" && k.mask.Secret(key) {
		hidden = k.mask.Text
	}
	k.found = k.found || hidden != value
	return before + hidden
}

// Hide returns the text of an option's value, as Values has it, without secrets, and whether there were any.
func (m Mask) Hide(option, text string) (hidden string, found bool) {
	k := &masker{mask: m}
	row := rowByName[option]
	hidden = k.text(escapeText(text), row != nil && row.Kind == Map)
	return strings.ReplaceAll(hidden, "$${", "${"), k.found
}
