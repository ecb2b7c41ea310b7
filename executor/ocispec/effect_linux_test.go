package ocispec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/schema"
)

// elsewhere are the options that change nothing of the specification by themselves: who else honours them. Whatever is
// not in here must change the specification, so that no option is read and then forgotten.
var elsewhere = map[string]string{
	// The network's files, addresses and rules, and the ports.
	"add-host": "network", "dns": "network", "dns-option": "network", "dns-search": "network", "expose": "network",
	"ip": "network", "ip6": "network", "link": "network", "link-local-ip": "network", "mac-address": "network",
	"network": "network", "network-alias": "network", "publish": "network", "publish-all": "network",
	// Mounts are resolved by the engine, which hands them over as Input.Mounts; /dev/shm and joined namespaces likewise.
	"volume": "engine/native", "volumes-from": "engine/native", "mount": "engine/native", "volume-driver": "engine/native",
	"storage-opt": "engine/native", "ipc": "engine/native", "cgroup-parent": "engine/native",
	// What images are and where they come from.
	"image": "image", "pull": "image", "pull-retries": "image", "platform": "image", "disable-content-trust": "image",
	// Life: supervisor and client.
	"detach": "executor", "restart": "executor", "rm": "executor", "stop-signal": "executor", "stop-timeout": "executor",
	"depends-on": "planner", "profiles": "planner", "ready": "executor", "timeout": "executor", "start-timeout": "executor",
	"retries": "executor", "success-exit-codes": "executor", "allow-failure": "executor", "replicas": "planner",
	"matrix": "planner", "artifacts": "executor", "health-cmd": "executor", "health-interval": "executor",
	"health-timeout": "executor", "health-retries": "executor", "health-start-period": "executor",
	"health-start-interval": "executor", "health-on-failure": "executor", "no-healthcheck": "executor",
	"log-driver": "logs", "log-opt": "logs",
	"attach": "cli", "interactive": "cli", "detach-keys": "cli", "sig-proxy": "cli", "help": "cli",
	"name": "state", "label": "state", "label-file": "state", "cidfile": "executor", "secret": "engine/native",
	"runtime": "engine/native",
	// Accepted and without effect, with a warning: no kernel has it any more.
	"kernel-memory": "nobody",
	// Of Windows, or what is the case on Linux anyway.
	"isolation": "nobody", "gpus": "nobody",
	// Without a remap of the engine, host is what is the case anyway.
	"userns": "engine/native", "userns-remap": "engine/native",
	// It changes the init program, and nothing without init (TestInitPath).
	"init-path": "init",
}

// needs are options that another one needs beside it to have an effect.
var needs = map[string]string{"memory-swap": "memory: 256m", "cpu-rt-period": "cpu-rt-runtime: 100000"}

// TestEveryOptionHasAnEffect builds a container with nothing but the example of an option, and one without it.
func TestEveryOptionHasAnEffect(t *testing.T) {
	for _, o := range schema.Options() {
		if o.OS == "windows" || o.NotYet != "" {
			continue
		}
		t.Run(o.Name, func(t *testing.T) {
			extra := needs[o.Name]
			changed := specText(t, extra) != specText(t, extra+"\n"+o.Line())
			where, isElsewhere := elsewhere[o.Name]
			switch {
			case !changed && !isElsewhere:
				t.Errorf("option %s changes nothing of the specification: map it in a step of Build or Merge, or say in elsewhere who honours it", o.Name)
			case changed && isElsewhere:
				t.Errorf("option %s changes the specification; take it off the list elsewhere (%s)", o.Name, where)
			}
		})
	}
}

// specText is the specification of a container with some lines of options.
func specText(t *testing.T, lines string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"test.env": "FROM_FILE=1\n", "labels.txt": "a=b\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := declared(t, dir, lines)
	// The host of the examples has what they name.
	in := testInput(t, 1, func(to *schema.Container) { *to = *c })
	in.RootfsDir = dir
	if err := os.Mkdir(filepath.Join(dir, "etc"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "etc/group"), []byte("audio:x:29:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in.Terminal, in.Hostname = c.Stdio.TTY.Value, c.Namespaces.Hostname.Or(in.Hostname)
	in.Host.AppArmor = true
	spec, _, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// declared reads the lines as the options of a container in a runfile.
func declared(t *testing.T, dir, lines string) *schema.Container {
	t.Helper()
	text := "networks: {backend: {}}\nsecrets: {dbpw: {env: HOME}}\ncontainers:\n  x:\n    image: alpine\n    command: serve\n"
	for line := range strings.Lines(lines) {
		if key, _, _ := strings.Cut(line, ":"); key == "image" || key == "command" {
			text = strings.ReplaceAll(text, "    "+key+":", "    x-"+key+":")
		}
		text += "    " + strings.TrimRight(line, "\n") + "\n"
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "    x-image: alpine\n", ""), "    x-command: serve\n", "")
	doc, diags := manifest.Load(manifest.Options{Files: []string{"-"}, Stdin: strings.NewReader(text), Dir: dir, ProjectName: "p"})
	p, more := schema.Decode(doc)
	for _, d := range append(diags, more...) {
		if p.Containers == nil || d.Code == schema.CodeBadValue || d.Code == schema.CodeBadFile || d.Code == schema.CodeUnknownOption {
			t.Fatalf("%v\n%s", d, text)
		}
	}
	return p.Containers[0]
}
