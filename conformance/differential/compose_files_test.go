package differential

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// composeDir makes the directory in which all compose files stand, with what they refer to.
func composeDir() string {
	dir := filepath.Join(os.Getenv("TMPDIR"), "shop")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o700); err != nil {
		panic(err)
	}
	for name, text := range map[string]string{
		".env":          "DOT=from dotenv\nPORT=8080\nTAG=1.27\nBLANK=\nEXPANDED=a$TAG\nQUOTED='a$TAG'\n",
		"a.env":         "A=1\nB=two words\n# comment\n\nGIVEN\n",
		"b.env":         "B=2\nC=3\n",
		"quoted.env":    "Q=\"quoted\"\nR='$DOT'\nS=${DOT}\n",
		"labels.txt":    "com.example.a=1\ncom.example.b=\n",
		"pw.txt":        "secret\n",
		"app.conf":      "x\n",
		"other.yaml":    composeOther,
		"sub/sub.env":   "SUB=1\n",
		"sub/long.yaml": composeLong,
		"sub/sub.yaml": "services:\n  base:\n    image: subimage\n    env_file: [sub.env]\n    volumes: [\"./data:/data\", \"../up:/up\"]\n" +
			"  next: {extends: {service: base}, hostname: next}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			panic(err)
		}
	}
	return dir
}

// frame is what every compose file has around its first service, so that what that one refers to is there.
const frame = `services:
  web:
    image: nginx
%s  db: {image: postgres, healthcheck: {test: [CMD, pg_isready]}}
  cache: {image: redis}
networks: {back: {}, front: {}}
volumes: {data: {}, cachedata: {}}
secrets: {pw: {file: ./pw.txt}}
configs: {conf: {file: ./app.conf}}
`

// composeFiles are all files: each value of each key, pairs of keys, and files that are written out.
func composeFiles() []composeFile {
	var out []composeFile
	for _, k := range serviceGrammar {
		for _, v := range k.values {
			out = append(out, inFrame(k.key, k.key+": "+v))
		}
	}
	out = append(out, composePairs()...)
	out = append(out, composeExtensions()...)
	for _, k := range grammarOf(sectionGrammar) {
		for _, v := range k.values {
			out = append(out, inSection(k.key, v))
		}
	}
	for _, v := range grammarOf(interpolationGrammar)[0].values {
		out = append(out, inFrame("interpolation", "hostname: h", "labels: {x: "+v+"}"))
	}
	return append(out, wholeFiles()...)
}

// inSection makes a file of an entry of a section at the top that a service uses.
func inSection(section, entry string) composeFile {
	uses := map[string]string{
		"networks": "networks: [thing]", "volumes": `volumes: ["thing:/thing"]`, "secrets": "secrets: [thing]", "configs": "configs: [thing]",
	}
	text := "services:\n  web: {image: nginx"
	if use := uses[section]; use != "" {
		text += ", " + use + "}\n" + section + ": {thing: " + entry + "}\n"
	} else {
		text += "}\n" + section + ": " + entry + "\n"
	}
	return composeFile{about: section, short: section + ": " + entry, text: text}
}

// grammarKey is a key of a service and values for it, each in one line of YAML.
type grammarKey struct {
	key    string
	values []string
}

// values reads a grammar: a key in its own line and behind it, indented, one value a line.
func grammarOf(text string) (out []grammarKey) {
	for line := range strings.Lines(text) {
		value, indented := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case line == "\n":
		case indented:
			k := &out[len(out)-1]
			k.values = append(k.values, value)
		default:
			out = append(out, grammarKey{key: value})
		}
	}
	return out
}

var serviceGrammar = slices.Concat(grammarOf(processGrammar), grammarOf(resourceGrammar), grammarOf(networkGrammar), grammarOf(mountGrammar), grammarOf(lifecycleGrammar))

// inFrame makes a file of lines of the first service.
func inFrame(about string, lines ...string) composeFile {
	text := fmt.Sprintf(frame, "    "+strings.Join(lines, "\n    ")+"\n")
	if strings.HasPrefix(lines[0], "image:") {
		text = strings.Replace(text, "    image: nginx\n", "", 1)
	}
	return composeFile{about: about, short: strings.Join(lines, "; "), text: text}
}

// strides are how far apart in the grammar the two keys of a pair stand.
var strides = []int{1, 2, 3, 5, 8, 13, 21, 34}

// composePairs puts the first values of two keys into one service.
func composePairs() (out []composeFile) {
	for i, a := range serviceGrammar {
		for _, stride := range strides {
			b := serviceGrammar[(i+stride)%len(serviceGrammar)]
			first, second := a.key+": "+a.values[0], b.key+": "+b.values[0]
			if a.key == b.key || a.key == "image" || b.key == "image" {
				continue
			}
			out = append(out, inFrame("pairs", first, second))
		}
	}
	return out
}

// composeExtensions puts one value of a key into a service and another one into a service that extends it.
func composeExtensions() (out []composeFile) {
	for _, k := range serviceGrammar {
		if k.key == "image" || k.key == "extends" {
			continue
		}
		for _, v := range k.values[1:min(4, len(k.values))] {
			for _, pair := range [][2]string{{k.values[0], v}, {v, k.values[0]}} {
				base, over := k.key+": "+pair[0], k.key+": "+pair[1]
				f := inFrame(k.key, "extends: base", over)
				f.short = base + "; " + over
				f.text = strings.Replace(f.text, "  db: {", "  base:\n    image: base\n    "+base+"\n  db: {", 1)
				out = append(out, f)
			}
		}
	}
	return out
}
