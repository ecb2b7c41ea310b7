package convert

import (
	"path/filepath"
	"strings"

	"github.com/runfile/runfile/manifest"
)

// Detect says what a text is: runfile, compose or docker-run.
func Detect(name string, text []byte) string {
	base := strings.ToLower(filepath.Base(name))
	switch filepath.Ext(base) {
	case ".sh", ".bash", ".md", ".txt", ".ps1", ".psm1", ".bat", ".cmd":
		return "docker-run"
	case ".toml":
		return "runfile"
	}
	if prompt().Match(text) || strings.HasPrefix(string(text), "#!") {
		return "docker-run"
	}
	root, _ := manifest.ParseYAML(name, text)
	toml, diags := manifest.ParseTOML(name, text)
	if root == nil || root.Kind != manifest.Map {
		if root = toml; diags.HasErrors() {
			return "docker-run"
		}
	}
	switch {
	case root == nil:
	case root.Get("services") != nil:
		return "compose"
	case root.Get("containers") != nil || root.Get("image") != nil || root.Get("include") != nil:
		return "runfile"
	case strings.Contains(base, "compose"):
		return "compose"
	}
	return "docker-run"
}
