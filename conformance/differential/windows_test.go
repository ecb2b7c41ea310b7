package differential

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/moby/v2/daemon/names"
	"github.com/moby/moby/v2/daemon/volume/mounts"

	"github.com/runfile/runfile/schema"
)

// windowsSources are what a volume of a Windows container may come from; some are paths.
var windowsSources = append(words(`'' c:\foo: C:/foo: c:\foo\bar\: c:\: c:: d:: z:\foo: data: d: Data.1-x: nul: com1: com10: a/b: \\.\pipe\x: //./pipe/x:
	\\server\share: c:foo: c:\a|b:`), `c:\foo bar:`)

// windowsSyntaxes are read by docker's engine with its parser for Windows, which is there on Linux, too.
var windowsSyntaxes = []syntax{{
	name: "volume of Windows containers",
	args: func(text string) []string { return []string{"--platform", "windows/amd64", "--volume", text, "alpine"} },
	texts: all(each(windowsSources, words(`d:\bar C:/bar/ d: d:\ c: c:\ C: \\.\pipe\y bar /bar c:\a*b ''`), words("'' :ro :RO :rw :z :")),
		[]string{`c:\foo:d:\x y`, ` c:\foo:d:\bar`, `c:\foo:d:\bar:ro:ro`, `data:d:\bar:`}),
	library: func(text string) (string, error) {
		var m *mounts.MountPoint
		err := inWindowsHost(func() (err error) {
			m, err = mounts.NewWindowsParser().ParseMountRaw(text, "")
			return err
		})
		if err != nil {
			return "", err
		}
		if m.Name != "" && !names.RestrictedNamePattern.MatchString(m.Name) {
			return "", errors.New("not a volume's name")
		}
		return volume(string(m.Type), m.Source+m.Name, m.Destination, !m.RW, "", "", false), nil
	},
	runfile: func(c *schema.Container) (string, error) {
		m := c.Mounts.Volumes[0].Value
		// Docker writes everything in lower case, which is the same to Windows.
		return volume(string(m.Type), strings.ToLower(m.Source), strings.ToLower(m.Target), m.ReadOnly, "", "", m.NoCopy), nil
	},
}}

// inWindowsHost does something in a folder that has folders called as the sources: docker's parser looks for them.
func inWindowsHost(do func() error) error {
	dir := filepath.Join(os.TempDir(), "windows")
	for _, source := range windowsSources {
		name := strings.ReplaceAll(strings.TrimSuffix(source, ":"), "/", `\`)
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return err
		}
	}
	before, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := os.Chdir(dir); err != nil {
		return err
	}
	err = do()
	if back := os.Chdir(before); back != nil {
		return back
	}
	return err
}
