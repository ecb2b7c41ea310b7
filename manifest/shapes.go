package manifest

import "strings"

// isMap checks the shape of a section; an empty one is an empty map.
func (l *loader) isMap(n *Node, what, form string) bool {
	if n.Kind == Null {
		n.Kind = Map
	}
	if n.Kind == Map {
		return true
	}
	l.diags.Errorf(CodeWrongShape, n.Range, "%s is a map, this is %s", what, n.kindName()).
		WithHelp("%s", shapeHelp(n, what, form))
	return false
}

var keyWithoutSpace = lazyRegexp(`^([a-z][a-z-]*):(\S+)$`)

// shapeHelp says what to write for a value that is no map.
func shapeHelp(n *Node, what, form string) string {
	toml := strings.HasSuffix(n.Range.File, ".toml")
	switch {
	case what == "`volumes`":
		return "this section declares volumes by name; for the mounts of a container write " + optionLine("volume", n, toml)
	case what == "`networks`":
		return "this section declares networks by name; for those of a container write " + optionLine("network", n, toml)
	case what == "`containers`" && n.Kind == List:
		return containersHelp(n, toml)
	case what == "a container" && n.Kind == Scalar:
		if m := keyWithoutSpace().FindStringSubmatch(n.Text); m != nil && n.Type == String {
			return "put a space behind the colon: " + m[1] + ": " + m[2]
		}
		if toml {
			return "write it as {image = " + tomlWritten(n.Text) + "}"
		}
		return "write it as {image: " + n.Text + "}"
	}
	return "write it as " + form
}

// containersHelp says what to write for a list of containers.
func containersHelp(n *Node, toml bool) string {
	name := "NAME"
	if len(n.Items) > 0 && n.Items[0].Kind == Map {
		if given := n.Items[0].Get("name"); given != nil && given.Kind == Scalar {
			name = given.Text
		} else if e := n.Items[0].Entries; len(e) == 1 && e[0].Value.Kind == Map {
			return "remove the dash; a container is a key with its options below it"
		}
	}
	if toml {
		return "write each container below its name: [containers." + name + "]"
	}
	return "write each container below its name: `" + name + ":` in place of the dash"
}

// partForm is how a container or template is written.
func partForm(e Entry, what string) string {
	if e.Value.Kind == List && len(e.Value.Items) > 0 && e.Value.Items[0].Kind == Map {
		if strings.HasSuffix(e.KeyRange.File, ".toml") {
			return "[" + what + "s." + e.Key + "]"
		}
		return "a map: remove the dash"
	}
	return "{image: ...}"
}

// beside reports an option that stands in the column of its container's name, which is empty then. The options behind the
// first are not reported again.
func (l *loader) beside(container *Entry, e Entry, what string) bool {
	first := len(container.Value.Entries) == 0
	if e.Value.Kind == Map && (first || !l.o.Repeatable(e.Key)) {
		return false
	}
	if first {
		l.diags.Errorf(CodeWrongShape, e.KeyRange, "%s stands beside the %s %s, not in it", quoted(e.Key), what, quoted(container.Key)).
			Also(container.KeyRange, "this %s is empty", what).
			WithHelp("indent it, and the options behind it, deeper than %s:", container.Key)
	}
	return true
}

// noName reports the image of a container without a name.
func (l *loader) noName(image Entry, what string) {
	help := "write the " + what + "'s name above it, and indent its options deeper than the name"
	if strings.HasSuffix(image.KeyRange.File, ".toml") {
		help = "write [" + what + "s.NAME] above it"
	}
	l.diags.Errorf(CodeWrongShape, image.KeyRange, "\"image\" stands where the name of a %s has to stand", what).WithHelp("%s", help)
}

// texts returns the items of a list of single values, for which one bare value may stand.
func (l *loader) texts(n *Node, what string) []*Node {
	if n == nil || n.Kind == Null {
		return nil
	}
	items := []*Node{n}
	if n.Kind == List {
		items = n.Items
	}
	var out []*Node
	for _, it := range items {
		if it.Kind != Scalar {
			l.diags.Errorf(CodeWrongShape, it.Range, "%s takes single values, this is %s", what, it.kindName()).
				WithHelp("write one value, or a list of values")
			continue
		}
		out = append(out, it)
	}
	return out
}

// optionLine is an option with the single values of a list.
func optionLine(option string, n *Node, toml bool) string {
	var items []string
	for _, it := range n.Items {
		if it.Kind != Scalar || len(it.Text) > 60 {
			return option
		}
		items = append(items, tomlWritten(it.Text))
	}
	if len(items) == 0 || len(items) > 4 {
		return option
	}
	sign := ": "
	if toml {
		sign = " = "
	}
	return option + sign + "[" + strings.Join(items, ", ") + "]"
}
