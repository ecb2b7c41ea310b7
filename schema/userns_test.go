package schema

import (
	"bytes"
	"strings"
	"testing"

	"github.com/runfile/runfile/schema/value"
)

func TestRemapFollowsThePolicy(t *testing.T) {
	p, diags := loadText(t, "runfile.yaml", `policy: {userns-remap: "dockremap:100000"}
containers:
  a: {image: alpine}
  b: {image: alpine, userns: host}
`)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	a, b := p.Container("a"), p.Container("b")
	if r := a.Namespaces.Remap; r.Value != "dockremap:100000" || r.At.Start.Line != 1 {
		t.Errorf("a follows %+v", r)
	}
	if b.Namespaces.Remap.Set {
		t.Error("b follows the policy, though it keeps the host's users")
	}
	if Canonical(a)["userns-remap"] == "" || Canonical(b)["userns-remap"] != "" {
		t.Error("a change of the policy must show in the containers that follow it, and in no other")
	}
	if v := Values(a, "userns-remap"); len(v) != 1 || v[0].At.Start.Line != 1 {
		t.Errorf("found at %+v", v)
	}
	var text bytes.Buffer
	if err := WriteManifest(&text, p, "yaml"); err != nil || !strings.Contains(text.String(), `userns-remap: dockremap:100000`) {
		t.Errorf("written as\n%s%v", text.String(), err)
	}
}

func TestRemapOfTheEnvironment(t *testing.T) {
	c := &Container{Key: "x", Security: Security{Privileged: Opt[bool]{Value: true, Set: true}}}
	p := NewProject("p", "/", c, nil)
	if _, err := p.Remap("a:b:c"); err == nil || !strings.Contains(err.Error(), "a:b:c") {
		t.Errorf("a wrong text is taken: %v", err)
	}
	if diags, err := p.Remap(""); err != nil || diags != nil || c.Namespaces.Remap.Set {
		t.Errorf("an empty text sets something: %v %v", diags, err)
	}
	diags, err := p.Remap("1000:1000")
	if err != nil || !diags.HasErrors() || !strings.Contains(diags[0].Summary, "RUNFILE_USERNS_REMAP=1000:1000") {
		t.Errorf("a privileged container: %v %v", diags, err)
	}
	if again, err := p.Remap("default"); err != nil || again != nil || c.Namespaces.Remap.Value != "1000:1000" {
		t.Error("the policy does not go before the environment")
	}

	like := &Project{Policy: Policy{UsernsRemap: Opt[string]{Value: "default", Set: true}}}
	if p := NewProject("p", "/", &Container{Key: "y"}, like); !p.Containers[0].Namespaces.Remap.Set {
		t.Error("the policy of the runfile named before run does not count")
	}
}

func TestWritableCgroupsAreNotRemapped(t *testing.T) {
	for text, wrong := range map[string]bool{"": true, "true": true, "false": false, "0": false} {
		c := &Container{Key: "x"}
		c.Security.Options = Items[value.SecurityOpt]{{Value: value.SecurityOpt{Key: "writable-cgroups", Value: text}}}
		diags, err := NewProject("p", "/", c, nil).Remap("default")
		if err != nil || diags.HasErrors() != wrong {
			t.Errorf("writable-cgroups=%s: %v %v", text, diags, err)
		}
	}
}
