package cli

import (
	"strings"
	"testing"
)

// TestVars: each source, what is masked, and the exit status.
func TestVars(t *testing.T) {
	t.Setenv("FROM_ENV", "e1")
	t.Setenv("RUNFILE_TEST_SECRET", "s3")
	files := map[string]string{
		"runfile.yaml": "vars:\n  A: {default: a, enum: [a, b], help: the first}\n  FLAG: f\n  FILE: ~\n  DOT: ~\n  FROM_ENV: {pattern: 'e[0-9]'}\n" +
			"  KEY: {secret: true, default: hidden}\n  API_TOKEN: tok\n  USES: x-${KEY}\n  NEED: {required: true}\nvars-file: [.dot]\n" +
			"include: [{file: inc.yaml, vars: {IN: bound}}]\ncontainers:\n  web: {image: x, env: [\"B=${OTHER:-no}\", \"C=${env.RUNFILE_TEST_SECRET}\", \"D=${A}\"]}\n",
		"inc.yaml": "vars: {IN: d}\n", ".dot": "DOT=d\nFILE=weak\n", "cli.env": "FILE=strong\n",
	}
	r := runIn(t, files, nil, "vars", "--var", "FLAG=g", "--vars-file", "cli.env", "--format", "{{.Name}}|{{.Value}}|{{.Source}}|{{.Rules}}|{{.At}}|{{len .Uses}}")
	want := `A|a|default|one of a, b|runfile.yaml:2:3|1
FLAG|g|--var||runfile.yaml:3:3|0
FILE|strong|--vars-file||runfile.yaml:4:3|0
DOT|d|vars-file||runfile.yaml:5:3|0
FROM_ENV|e1|environment|matches e[0-9]|runfile.yaml:6:3|0
KEY|<secret>|default|secret|runfile.yaml:7:3|1
API_TOKEN|<secret>|default||runfile.yaml:8:3|0
USES|<secret>|default||runfile.yaml:9:3|0
NEED|||required|runfile.yaml:10:3|0
IN|bound|include||inc.yaml:1:8|0
OTHER|||not declared|runfile.yaml:14:28|1
env.RUNFILE_TEST_SECRET|<secret>|environment|not declared|runfile.yaml:14:46|1
`
	if r.code != 2 || r.stdout != want || !strings.Contains(r.stderr, `the variable "NEED" must be given`) {
		t.Errorf("status %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	if r := runIn(t, files, nil, "vars", "--var", "NEED=1", "--show-secrets"); r.code != 0 || !strings.Contains(r.stdout, "x-hidden") ||
		!strings.HasPrefix(r.stdout, "NAME ") || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	if r := runIn(t, files, nil, "vars", "--var", "NEED=1", "--format", "json"); r.code != 0 || !strings.Contains(r.stdout, `"Source":"environment"`) ||
		strings.Contains(r.stdout, "hidden") {
		t.Errorf("%+v", r)
	}
	if r := runIn(t, map[string]string{"runfile.yaml": "image: ["}, nil, "vars"); r.code != 2 || r.stdout != "" {
		t.Errorf("%+v", r)
	}
}
