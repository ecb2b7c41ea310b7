package cli

import (
	"strings"
	"testing"
)

// TestConvert holds the ways in which convert is called, and its statuses; what it writes is package convert's matter.
func TestConvert(t *testing.T) {
	files := map[string]string{
		"run.sh":       "docker run -d --name web -p 8080:80 nginx\n",
		"lossy.sh":     "docker run busybox > log\n",
		"env.sh":       "docker run -e A=$A busybox\n",
		"compose.yaml": "services:\n  db:\n    image: pg:${TAG}\n    environment: {API_KEY: canary}\n",
		"odd":          "services: {db: {image: pg}}\n",
		"runfile.yaml": "project: shop\ncontainers:\n  db: {image: pg, detach: true, env: [API_TOKEN=canary]}\n  test: {image: busybox, depends-on: [db]}\n",
		"ready.yaml":   "image: busybox\ntimeout: 5m\n",
		"wrong.yaml":   "containers:\n  db: {imge: pg}\n",
	}
	tests := []struct {
		args           string
		code           int
		stdout, stderr string // each must contain
	}{
		{"convert docker run -d -p 80:80 --name web nginx -g x", 0, "publish: [\"80:80\"]", ""},
		{"convert --to toml docker run nginx", 0, "image = \"nginx\"", ""},
		{"convert sudo docker run nginx", 0, "image: nginx", ""},
		{"convert docker run -m 5m nginx", 1, "image: nginx", "left out"},
		{"convert docker run --env-file nope.env nginx", 0, "env-file: [nope.env]", "^^^^^^^^ carried, and to be put right before runfile up"},
		{"convert docker ps", 2, "", "docker ps is not a docker run line"},
		{"convert docker ps", 2, "", "1 error in <command line>; nothing was written"},
		{"convert run.sh", 0, "  web:\n", ""},
		{"convert run.sh --to json", 0, "\"image\": \"nginx\"", ""},
		{"convert lossy.sh", 1, "image: busybox", "lossy.sh:1:20"},
		{"convert lossy.sh --diagnostics json", 1, "image: busybox", "\"code\":\"not-carried\""},
		{"convert env.sh", 0, "A: {required: true}", "needs-value"},
		{"convert env.sh --to docker-run", 2, "", "must be given"},
		{"convert env.sh --to docker-run --var A=1", 0, "--env A=1", ""},
		{"convert compose.yaml", 0, "pg:${TAG}", ""},
		{"convert --from compose odd", 0, "image: pg", ""},
		{"convert odd", 0, "image: pg", ""},
		{"convert lossy.sh --to docker-run", 1, "--name busybox busybox", "lossy.sh:1:20"},
		{"convert compose.yaml --to docker-run --var TAG=INV/A:D", 2, "", "compose.yaml:3:12"},
		{"convert compose.yaml --to docker-run --var TAG=7", 0, "pg:7", "API_KEY is a secret: the script takes it from its environment"},
		{"convert", 0, "docker run --name test busybox", "API_TOKEN is a secret"},
		{"convert runfile.yaml", 0, "docker run --detach --name db --env API_TOKEN pg", ""},
		{"-f ready.yaml convert", 1, "# not carried: timeout of main: 5m0s", "ready.yaml:2:10"},
		{"convert wrong.yaml", 2, "", "imge"},
		{"convert runfile.yaml --to yaml", 2, "", "runfile config --format yaml"},
		{"convert --to xml run.sh", 2, "", "--to \"xml\" is not one of yaml, toml"},
		{"convert --from kube run.sh", 2, "", "--from"},
		{"convert run.sh --nope", 2, "", "runfile convert --help"},
		{"convert nothere.sh", 2, "", "nothere.sh cannot be read: no such file"},
		{"convert run.sh lossy.sh", 2, "", "takes one file"},
		{"convert --help", 0, "Exit status", ""},
	}
	if r := runIn(t, files, nil, "convert", "docker run -d  nginx"); r.code != 0 || !strings.Contains(r.stdout, "image: nginx, detach: true") {
		t.Errorf("a command line in quotes: %+v", r)
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			r := runIn(t, files, nil, strings.Fields(tt.args)...)
			if r.code != tt.code || !strings.Contains(r.stdout, tt.stdout) || !strings.Contains(r.stderr, tt.stderr) {
				t.Errorf("status %d, want %d\nstdout %q, want %q\nstderr %q, want %q", r.code, tt.code, r.stdout, tt.stdout, r.stderr, tt.stderr)
			}
			if strings.Contains(tt.args, "docker-run") && strings.Contains(r.stdout+r.stderr, "canary") {
				t.Error("a secret is written")
			}
		})
	}
}
