package differential

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// fromFile hands a text over in a file.
func fromFile(name string) func(text string) []string {
	return func(text string) []string {
		path := filepath.Join(os.TempDir(), "pairs")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			panic(err)
		}
		return []string{"--" + name, path, "alpine"}
	}
}

var (
	pairTexts = all(each(words("A a.b a-b 1 é '' A:B GIVEN EMPTY UNSET"), words("'' = =b ==b =b=c =\"b\" ='b' =$A =#b")), []string{
		"A=b c", "A B=c", " A=b", "A =b", "A= b", "A=b ", "\tA=b", "A\tB=c", "A=b\nc", "A=\xff", "\xff=b", "A\n=b", " ", "#A=b", " #A=b", "A B", "A ",
	})

	fileTexts = all(
		each([]string{"", "\ufeff", "\n", "# note\n", "  # note\n", "\r\n"},
			[]string{"A=b", "A", "GIVEN", "EMPTY", "UNSET", " A=b", "A =b", "=b", "A=", "A= b ", "export A=b", "A=\"b c\"", "A=b #c"},
			[]string{"", "\n", "\r\n"}),
		each([]string{"A=1\n", "A=1\r", "A=1\r\n", "A=1\x00\n", "A=1\v", "A=1\u2028"},
			[]string{"A=2", "B", "\ufeffB=1", " ", "\tB=1", "\u00a0B=1", "B\u00a0C=1", "\xff", "B=\xff", "\xef\xbb\xbf=1", "B\v=1"}),
		[]string{
			"", "\ufeff", "\ufeff\ufeffA=b", "\ufeff # note", "A=b\\\nc", "A='b\nc'", "=", " =b", "#",
			"A=" + strings.Repeat("x", 1<<16-3), "A=" + strings.Repeat("x", 1<<16-2),
			"A=b\n" + strings.Repeat("x", 1<<17), strings.Repeat("A=b\n", 3), "A=b\n=c\nB=d", "A==b", "A", "A:b", "a.b/c=d", "\xfe\xffA=b",
		})
)

var fileSyntaxes = []syntax{
	{
		name: "env", args: option("env"), texts: pairTexts,
		docker:  func(r *request) (string, error) { return strings.Join(r.Config.Env, "\n"), nil },
		runfile: func(c *schema.Container) (string, error) { return lines(c.Process.Env.Values()), nil },
	},
	{
		name: "env-file", args: fromFile("env-file"), texts: fileTexts,
		docker:  func(r *request) (string, error) { return strings.Join(r.Config.Env, "\n"), nil },
		runfile: func(c *schema.Container) (string, error) { return lines(c.Process.EnvFromFiles), nil },
	},
	{
		name: "label", args: option("label"), texts: pairTexts,
		docker:  func(r *request) (string, error) { return pairs(r.Config.Labels), nil },
		runfile: func(c *schema.Container) (string, error) { return pairs(mapOf(c.Metadata.Labels.Values())), nil },
	},
	{
		name: "label-file", args: fromFile("label-file"), texts: fileTexts,
		docker:  func(r *request) (string, error) { return pairs(r.Config.Labels), nil },
		runfile: func(c *schema.Container) (string, error) { return pairs(mapOf(c.Metadata.LabelsFromFiles)), nil },
	},
	{
		name: "annotation", args: option("annotation"), texts: pairTexts,
		docker:  func(r *request) (string, error) { return pairs(r.HostConfig.Annotations), nil },
		runfile: func(c *schema.Container) (string, error) { return pairs(mapOf(c.Metadata.Annotations.Values())), nil },
	},
	{
		name: "log-opt", args: option("log-opt"), texts: pairTexts,
		docker:  func(r *request) (string, error) { return pairs(r.HostConfig.LogConfig.Config), nil },
		runfile: func(c *schema.Container) (string, error) { return pairs(mapOf(c.Logging.Options.Values())), nil },
	},
}

// lines prints variables as a process gets them; without a value, one is removed.
func lines(list []value.KeyValue) string {
	out := make([]string, 0, len(list))
	for _, kv := range list {
		if kv.HasValue {
			kv.Key += "=" + kv.Value
		}
		out = append(out, kv.Key)
	}
	return strings.Join(slices.Clip(out), "\n")
}
