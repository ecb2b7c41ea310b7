package schema

import (
	"fmt"
	"slices"
	"testing"

	"github.com/runfile/runfile/manifest/diag"
)

// TestSplitRun: flags come apart as in FromFlags, and no value is looked at.
func TestSplitRun(t *testing.T) {
	place := func(i int) diag.Range { return diag.Range{File: "x", Start: diag.Pos{Line: 1, Column: i + 1}} }
	tests := []struct {
		args  []string
		want  string
		image int
		diags int
	}{
		{
			[]string{"-itd", "--memory", "nonsense", "-p80:80", "--env=A=b=c", "--rm=false", "img", "--rm"},
			"interactive=true@0 tty=true@0 detach=true@0 memory=nonsense@2 publish=80:80@3 env=A=b=c@4 rm=false@5 ", 6, 0,
		},
		{[]string{"--dns-opt", "x", "--", "-img"}, "dns-option=x@1 ", 3, 0},
		{[]string{"--pod", "p", "--replace", "img"}, "", 3, 2},
		{[]string{"--pod=p", "img"}, "", 1, 1},
		{[]string{"--memory"}, "", 1, 1},
		{nil, "", 0, 0},
	}
	for _, tt := range tests {
		flags, image, diags := SplitRun(tt.args, Syntax{Who: "podman run", At: place, Valued: func(name string) bool { return name == "pod" }})
		got := ""
		for _, f := range flags {
			got += fmt.Sprintf("%s=%s@%d ", f.Name, f.Text, f.Arg)
		}
		if got != tt.want || image != tt.image || len(diags) != tt.diags {
			t.Errorf("%q: %q, image %d, %v", tt.args, got, image, diags)
		}
		if slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Subject.File != "x" }) {
			t.Errorf("%q: a place is not At's: %v", tt.args, diags)
		}
	}
}
