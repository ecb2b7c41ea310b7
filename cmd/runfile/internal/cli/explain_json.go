package cli

import (
	"encoding/json"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/gen"
)

// explained is what programs read of a key or code.
type explained struct {
	Options []explainedOption `json:"options,omitempty"` // of containers
	Keys    []explainedKey    `json:"keys,omitempty"`    // of files and sections
	Codes   []explainedCode   `json:"codes,omitempty"`
}

type explainedOption struct {
	Name    string   `json:"name"`
	Short   string   `json:"short,omitempty"`
	Aliases []string `json:"aliases,omitempty"`
	Arg     string   `json:"arg,omitempty"`
	Group   string   `json:"group"`
	Kind    string   `json:"kind"`
	Help    string   `json:"help"`
	Doc     string   `json:"doc,omitempty"`
	Syntax  string   `json:"syntax,omitempty"`
	Default string   `json:"default,omitempty"`
	Example string   `json:"example"`
	YAML    string   `json:"yaml"`
	TOML    string   `json:"toml"`
	Flag    string   `json:"flag,omitempty"`
	Words   []string `json:"words,omitempty"`
	OS      string   `json:"os,omitempty"` // linux or windows; absent = both
	Needs   string   `json:"needs,omitempty"`
	Own     bool     `json:"own,omitempty"`    // runfile's key, not docker's
	NoFlag  bool     `json:"noFlag,omitempty"` // a key of manifests only
	NotYet  string   `json:"notYet,omitempty"` // why it is refused
	MapKeys []mapKey `json:"mapKeys,omitempty"`
}

// mapKey is a key of a value where that is a map.
type mapKey struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

type explainedKey struct {
	Name string   `json:"name"`
	Kind string   `json:"kind"`
	Help string   `json:"help"`
	Doc  string   `json:"doc,omitempty"`
	YAML string   `json:"yaml,omitempty"`
	TOML string   `json:"toml,omitempty"`
	Keys []string `json:"keys,omitempty"`
}

type explainedCode struct {
	Code    string `json:"code"`
	Meaning string `json:"meaning"`
	Example string `json:"example,omitempty"`
	Cure    string `json:"cure,omitempty"`
}

// explainJSON prints one key or code, or with "" all of them.
func (a *app) explainJSON(word string) error {
	if _, isTopic := gen.Find(word); word != "" && !isTopic {
		if name, _ := meant(word); name != "" {
			word = name
		}
	}
	var out explained
	for _, t := range gen.Topics() {
		o := t.Option
		var keys []mapKey
		for _, k := range t.MapKeys {
			keys = append(keys, mapKey{k.Label, k.Text})
		}
		switch {
		case word != "" && word != t.Name:
		case o != nil && t.Name == o.Name:
			out.Options = append(out.Options, explainedOption{
				o.Name, o.Short, o.Aliases, o.Arg, string(o.Group), o.Kind.String(), o.Help, o.Doc, o.Syntax, o.Default, o.Example,
				t.YAML, t.TOML, t.Flag, o.Words, o.OS, o.Needs, o.Own, o.NoFlag, o.NotYet, keys,
			})
		default:
			out.Keys = append(out.Keys, explainedKey{t.Name, t.Kind, t.Help, t.Doc, t.YAML, t.TOML, t.Keys})
		}
	}
	for _, info := range diag.Codes() {
		if word == "" || word == string(info.Code) {
			out.Codes = append(out.Codes, explainedCode{string(info.Code), info.Meaning, info.Example, info.Cure})
		}
	}
	if out.Options == nil && out.Keys == nil && out.Codes == nil {
		return a.notExplainable(word)
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
