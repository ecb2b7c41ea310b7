package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
)

// TestExplain: names, other names, sections, and what nobody knows.
func TestExplain(t *testing.T) {
	for word, want := range map[string][]string{
		"publish":          {"publish (list)", "-p, --publish", `publish = ["8080:80"]`, "runfile run -p 8080:80 IMAGE"},
		"--publish":        {"publish (list)"},
		"p":                {"-p is short for --publish.", "publish (list)"},
		"ports":            {`no key "ports"; it is called publish.`, "publish (list)"},
		"mem_limit":        {"it is called memory.", "memory (value)"},
		"net":              {"--net is another spelling of --network", "network (list)"},
		"healthcheck":      {"write health-cmd"},
		"services":         {"it is called containers."},
		"networks":         {"networks.subnet", "[networks.back]"},
		"networks.subnet":  {"networks.subnet (value)", "  networks:\n    NAME:\n      subnet: ", "[networks.NAME]"},
		"networks.gateway": {"Needs       subnet"},
		"policy":           {"policy.max-parallel"},
		"vars":             {"vars.secret", "[vars]\n"},
		"timeout":          {"timeout (value)", "See also: policy.timeout"},
		"rm":               {"Excludes    restart (a container that is removed"},
		"network":          {"Keys, where it is a map:", "  alias            Further names"},
		"network.alias":    {"alias is a key of network, where that is a map.", "network (list)"},
		"uts":              {"Excludes    hostname"},
		"hostname":         {"Excludes    uts: host"},
		"memory-swap":      {"Needs       memory", "Platform    Linux containers only"},
		"isolation":        {"Windows"},
		"link":             {"Refers to   other containers"},
		"subnet":           {"subnet is a key of networks.", "networks.subnet (value)"},
		"file":             {"file is a key in several places: include.file, secrets.file."},
		"matrix":           {"  axes             Variables"},
		"unknown-option":   {"unknown-option (error code)", "The smallest runfile with it"},
		"":                 {"  volume                   Bind mount a volume\n", "Keys of a file:", "Network:", "Error codes:"},
	} {
		args := []string{"explain", "--", word}
		if word == "" {
			args = args[:1]
		}
		r := runIn(t, nil, nil, args...)
		for _, text := range want {
			if r.code != 0 || !strings.Contains(r.stdout, text) || r.stderr != "" {
				t.Errorf("explain %s: %d, want %q in\n%s%s", word, r.code, text, r.stdout, r.stderr)
			}
		}
	}
	for _, flag := range []string{"-p", "--publish"} {
		if r := runIn(t, nil, nil, "explain", flag); r.code != 0 || !strings.Contains(r.stdout, "publish (list)") {
			t.Errorf("explain %s: %+v", flag, r)
		}
	}
	if r := runIn(t, nil, nil, "explain", "nonsense"); r.code != 2 || !strings.Contains(r.stderr, "there is neither") {
		t.Errorf("%+v", r)
	}
}

// TestExplainKnowsAll: every option, code and word that completes can be explained, as text and as JSON.
func TestExplainKnowsAll(t *testing.T) {
	all := runIn(t, nil, nil, "explain").stdout
	for _, word := range explainable() {
		r := runIn(t, nil, nil, "explain", word)
		if r.code != 0 || !strings.Contains(all, "\n  "+word+" ") {
			t.Errorf("%s: %d, in the list: %t", word, r.code, strings.Contains(all, "\n  "+word+" "))
		}
	}
	var out explained
	if err := json.Unmarshal([]byte(runIn(t, nil, nil, "explain", "--format", "json").stdout), &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Options) != len(schema.Options()) || len(out.Codes) != len(diag.Codes()) || len(out.Keys) < 30 {
		t.Errorf("%d options, %d codes, %d keys", len(out.Options), len(out.Codes), len(out.Keys))
	}
	if r := runIn(t, nil, nil, "explain", "--format", "json", "ports"); !strings.Contains(r.stdout, `"name": "publish"`) {
		t.Errorf("%+v", r)
	}
}
