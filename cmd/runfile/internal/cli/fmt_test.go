package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const untidy, tidied = "image:   x # c\ncommand: [ a ]\n", "image: x # c\ncommand: [a]\n"

// TestFmt: what is written where, and with which exit status.
func TestFmt(t *testing.T) {
	files := map[string]string{
		"runfile.yaml": untidy, "tidy.yaml": tidied, "broken.yaml": "image: [x\n", "b.toml": "image='x'\n",
	}
	tests := []struct {
		args           string
		code           int
		stdout, stderr string
		changed        map[string]string
	}{
		{"fmt", 0, "runfile.yaml\n", "", map[string]string{"runfile.yaml": tidied}},
		{"fmt -f b.toml", 0, "b.toml\n", "", map[string]string{"b.toml": "image = \"x\"\n"}},
		{"fmt b.toml tidy.yaml runfile.yaml", 0, "b.toml\nrunfile.yaml\n", "", map[string]string{"b.toml": "image = \"x\"\n", "runfile.yaml": tidied}},
		{"fmt --check", 1, "runfile.yaml\n", "", nil},
		{"fmt --check tidy.yaml", 0, "", "", nil},
		{"fmt --check tidy.yaml b.toml runfile.yaml", 1, "b.toml\nrunfile.yaml\n", "", nil},
		{"fmt --diff tidy.yaml", 0, "", "", nil},
		{"fmt --diff --check", 1, "+command: [a]\n", "", nil},
		{"fmt --diff", 0, "-image:   x # c\n", "", nil},
		{"fmt broken.yaml runfile.yaml", 2, "runfile.yaml\n", "broken.yaml:1:1", map[string]string{"runfile.yaml": tidied}},
		{"fmt --check broken.yaml", 2, "", "error[syntax]", nil},
		{"fmt broken.yaml", 2, "", "1 error in broken.yaml; it was left as it is", nil},
		{"fmt nope.yaml", 2, "", "nope.yaml cannot be read", nil},
		{"fmt .", 2, "", "directory", nil},
		{"fmt -C sub runfile.yaml", 2, "", "sub/runfile.yaml cannot be read", nil},
		{"fmt -", 0, tidied, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(dir)
			var stdout, stderr bytes.Buffer
			a := &app{stdin: strings.NewReader(untidy), stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }}
			code := a.run(strings.Fields(tt.args))
			if code != tt.code || !strings.Contains(stdout.String(), tt.stdout) || tt.stdout == "" && stdout.Len() > 0 ||
				!strings.Contains(stderr.String(), tt.stderr) || tt.stderr == "" && stderr.Len() > 0 {
				t.Errorf("status %d\nstdout %q\nstderr %q", code, stdout.String(), stderr.String())
			}
			for name, text := range files {
				if new, ok := tt.changed[name]; ok {
					text = new
				}
				if got, err := os.ReadFile(name); err != nil || string(got) != text {
					t.Errorf("%s is %q, %v", name, got, err)
				}
			}
			if left, _ := filepath.Glob(".*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
