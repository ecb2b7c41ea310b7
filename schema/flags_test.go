package schema

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

// flagText runs FromFlags and prints the container as a manifest's options, one a line.
func flagText(t *testing.T, line string) (string, RunFlags, diag.List) {
	t.Helper()
	args, err := value.SplitCommand(line)
	if err != nil {
		t.Fatal(err)
	}
	c, f, l := FromFlags(args, "/work dir")
	var out []string
	for _, m := range containerTree(c) {
		out = append(out, m.key+"="+yamlFlow(m.value))
	}
	return strings.Join(out, " "), f, l
}

// TestFlagSyntax covers the ways in which docker run takes its flags.
func TestFlagSyntax(t *testing.T) {
	tests := []struct{ line, want string }{
		{"alpine", "image=alpine"},
		{"alpine echo --rm -it", `image=alpine command=[echo, --rm, -it]`},
		{"--name=web alpine", "image=alpine name=web"},
		{"--name web alpine", "image=alpine name=web"},
		{"-it alpine", "image=alpine interactive=true tty=true"},
		{"-itd alpine", "image=alpine detach=true interactive=true tty=true"},
		{"-p8080:80 alpine", `image=alpine publish=[8080:80/tcp]`},
		{"-p=8080:80 alpine", `image=alpine publish=[8080:80/tcp]`},
		{"-p 8080:80 -p 81:81 alpine", `image=alpine publish=[8080:80/tcp, 81:81/tcp]`},
		{"-itp80:80 alpine", `image=alpine interactive=true publish=[80:80/tcp] tty=true`},
		{"-e A=b --env C= alpine", "image=alpine env=[A=b, C=]"},
		{"-eA=b alpine", "image=alpine env=[A=b]"},
		{"--rm=false --init=T alpine", "image=alpine init=true rm=false"},
		{"-h web1 alpine", "image=alpine hostname=web1"},
		{"--memory 1g --memory 2g alpine", "image=alpine memory=2g"},
		{"-m 64m -c 512 -u 5 -w /x -l a=b alpine", "image=alpine cpu-shares=512 label=[a=b] memory=64m user=\"5\" workdir=/x"},
		{"--net=host --dns-opt=rotate --net-alias=x alpine", "image=alpine dns-option=[rotate] network-alias=[x] network=[host]"},
		{"--entrypoint= alpine x", `image=alpine command=[x] entrypoint=""`},
		{"--entrypoint 'a b' alpine", `image=alpine entrypoint=["a b"]`},
		{"--health-cmd 'a || b' alpine", `image=alpine health-cmd="a || b"`},
		{"--hostname= alpine", "image=alpine"},
		{"-- alpine", "image=alpine"},
		{"-v ./x:/y -v data:/z:ro alpine", `image=alpine volume=["/work dir/x:/y", data:/z:ro]`},
		{"--env-file /dev/null --cidfile c alpine", `image=alpine cidfile="/work dir/c" env-file=[/dev/null]`},
		{"--restart on-failure:3 --stop-timeout 5 alpine", `image=alpine restart=on-failure:3 stop-timeout=5`},
		{"--pull always --platform linux/arm64 --timeout 5m alpine", "image=alpine platform=linux/arm64 pull=always timeout=5m0s"},
		{"oci:./img", `image="oci:/work dir/img"`},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			got, _, l := flagText(t, tt.line)
			got = strings.ReplaceAll(got, `\\`, "/") // of Windows
			if len(l) > 0 || got != tt.want {
				t.Errorf("got  %s %v\nwant %s", got, l, tt.want)
			}
		})
	}
}

func TestRunFlags(t *testing.T) {
	c, f, l := flagText(t, "--print --format toml --project shop --file a.yaml --file b.yaml --progress=plain -q --sig-proxy=false --detach-keys ctrl-a,d alpine")
	want := RunFlags{
		Print: true, Format: "toml", Project: "shop", Files: []string{"a.yaml", "b.yaml"}, Progress: "plain", Quiet: true,
	}
	if len(l) > 0 || !slices.Equal(f.Files, want.Files) {
		t.Errorf("%v %v", l, f.Files)
	}
	f.Files, want.Files = nil, nil
	if f.Print != want.Print || f.Format != want.Format || f.Project != want.Project || f.Progress != want.Progress ||
		f.Quiet != want.Quiet || !strings.Contains(c, `"ctrl-a,d"`) {
		t.Errorf("got %+v, want %+v", f, want)
	}
	if _, f, l = flagText(t, "--help"); !f.Help || len(l) > 0 {
		t.Errorf("--help: %+v, %v", f, l)
	}
}

// TestFlagErrors checks code, place and text of each mistake on a command line.
func TestFlagErrors(t *testing.T) {
	tests := []struct {
		line, code, at, text string
	}{
		{"--memroy=5g alpine", "unknown-flag", "--memroy=5g", "did you mean --memory?"},
		{"--mem_limit 5g alpine", "unknown-flag", "--mem_limit", "write --memory"},
		{"--it alpine", "unknown-flag", "--it", "did you mean -it?"},
		{"-Z alpine", "unknown-flag", "-Z", "has no flag -Z"},
		{"--blkio-weight 5 alpine", "bad-value", "5", "0 or a whole number from 10 to 1000"},
		{"--oom-kill-disable=x alpine", "bad-value", "--oom-kill-disable=x", "neither true nor false"},
		{"--userns=private alpine", "bad-value", "--userns=private", "not a mode"},
		{"--mount type=tmpfs,dst=x alpine", "bad-value", "type=tmpfs,dst=x", "not an absolute path"},
		{"--use-api-socket alpine", "unknown-flag", "--use-api-socket", "no flag"},
		{`-v 'c:\foo:c:' --platform windows/amd64 alpine`, "bad-value", "'c:\\foo:c:'", "cannot be c:"},
		{`-v 'c:\foo:/bar' alpine`, "bad-value", "'c:\\foo:/bar'", "for a Windows container add --platform windows/amd64"},
		{"--memory 5m alpine", "bad-value", "5m", "6 MiB"},
		{"--memory=12q alpine", "bad-value", "--memory=12q", "is not a size"},
		{"--rm=maybe alpine", "bad-value", "--rm=maybe", "neither true nor false"},
		{"-p foo alpine", "bad-value", "foo", "container port"},
		{"--name", "bad-flag", "--name", "needs a value"},
		{"--rm", "bad-flag", "", "there is no image"},
		{"", "bad-flag", "", "there is no image"},
		{"''", "bad-flag", "''", "there is no image"},
		{"--progress=pretty alpine", "bad-flag", "--progress=pretty", "accepted: auto"},
		{"Alpine", "bad-value", "Alpine", "write alpine"},
		{"--env-file missing alpine", "bad-file", "missing", "no such file"},
		{"--command x alpine", "unknown-flag", "--command", "no flag --command"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			_, _, l := flagText(t, tt.line)
			if len(l) != 1 {
				t.Fatalf("got %v", l)
			}
			d := l[0]
			args, err := value.SplitCommand(tt.line)
			if err != nil {
				t.Fatal(err)
			}
			text := CommandLineText(args)
			got := ""
			if end := d.Subject.End.Column - 1; end <= len(text) {
				got = text[d.Subject.Start.Column-1 : end]
			}
			all := d.Summary + "\n" + strings.Join(d.Help, "\n")
			if string(d.Code) != tt.code || got != tt.at || !strings.Contains(all, tt.text) || d.Subject.File != CommandLine {
				t.Errorf("got %s at %q: %s", d.Code, got, all)
			}
		})
	}
}

// TestEveryRowIsAFlag demands that each row's example is taken on the command line and gives what the manifest gives.
func TestEveryRowIsAFlag(t *testing.T) {
	for _, r := range rows {
		if r.NoFlag {
			continue
		}
		example := r.Example
		switch r.Name {
		case "entrypoint":
			example = "/bin/tini"
		case "env-file", "label-file":
			example = "/dev/null"
		}
		c, _, l := FromFlags([]string{"--" + r.Name + "=" + example, "alpine"}, t.TempDir())
		if len(l) > 0 || len(Values(c, r.Name)) == 0 {
			t.Errorf("--%s=%s: %v", r.Name, example, l)
		}
	}
}

func TestRunUsage(t *testing.T) {
	var b bytes.Buffer
	RunUsage(&b)
	last := -1
	for _, want := range referenceHelp(t) {
		_, isRow := rowByName[want.name]
		isFlag := slices.ContainsFunc(runFlags, func(f runFlag) bool { return f.name == want.name })
		i := strings.Index(b.String(), "--"+want.name+" ")
		if want.arg == "=10" {
			i = strings.Index(b.String(), "--"+want.name+"=")
		}
		switch {
		case !isRow && !isFlag:
			if i >= 0 {
				t.Errorf("--%s is in the help and does nothing", want.name)
			}
		case i < last:
			t.Errorf("--%s is missing or out of docker's order", want.name)
		default:
			last = i
			for line := range strings.SplitSeq(want.help, "\n") {
				if !strings.Contains(b.String(), line) {
					t.Errorf("--%s: %q is missing", want.name, line)
				}
			}
		}
	}
}

// TestInherited looks values up in the environment of the process.
func TestInherited(t *testing.T) {
	t.Setenv("RUNFILE_TEST_SET", "secret")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "e"), []byte("RUNFILE_TEST_SET\nRUNFILE_TEST_UNSET\nX=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, l := FromFlags([]string{"-e", "RUNFILE_TEST_SET", "-e", "RUNFILE_TEST_UNSET", "--env-file=e", "alpine"}, dir)
	if len(l) > 0 {
		t.Fatal(l)
	}
	want := []value.KeyValue{
		{Key: "RUNFILE_TEST_SET", Value: "secret", HasValue: true, Inherited: true}, {Key: "RUNFILE_TEST_UNSET"},
	}
	if got := c.Process.Env.Values(); !slices.Equal(got, want) {
		t.Errorf("env is %+v", got)
	}
	want = []value.KeyValue{want[0], {Key: "X", Value: "1", HasValue: true}}
	if !slices.Equal(c.Process.EnvFromFiles, want) {
		t.Errorf("env-file is %+v", c.Process.EnvFromFiles)
	}
	var b bytes.Buffer
	if err := WriteManifest(&b, &Project{Containers: []*Container{c}}, "yaml"); err != nil || strings.Contains(b.String(), "secret") {
		t.Errorf("%v, %s", err, b.String())
	}
	if got := Canonical(c); !strings.Contains(got["env"], "secret") || !strings.Contains(got["env-file"], "X=1") {
		t.Errorf("the canonical text misses a change of the environment: %q", got)
	}
}

func FuzzFromFlags(f *testing.F) {
	f.Add("--rm\n-it\n-p8080:80\n--name\nweb\nalpine\nsh")
	f.Add("--memroy=5\n-Z\n--\nalpine")
	f.Add("-e\n=\n--env-file")
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Split(text, "\n")
		for _, a := range args { // reading arbitrary files of the machine is not what is tested
			if strings.Contains(a, "file") || strings.Contains(a, "seccomp") || strings.Contains(a, "security") {
				return
			}
		}
		_, _, l := FromFlags(args, "/nowhere")
		width := len([]rune(CommandLineText(args))) + 2
		for _, d := range l {
			if d.Subject.Start.Column < 1 || d.Subject.End.Column > width || d.Subject.Start.Column > d.Subject.End.Column {
				t.Errorf("%s points at %+v of %d", d.Code, d.Subject, width)
			}
		}
	})
}
