package manifest

import (
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// Absolute is the path of this machine that name, as a runfile writes it, means if it counts from dir.
//
// Runfiles write slashes wherever they are read. A drive of Windows is a directory at the top, /c/dir for C:\dir, as the
// shells have it that people use there: a colon would end the source of a volume. Any other path from the top is left as
// it is, since it is one of the Linux machine that will run the containers.
func Absolute(dir, name string) string {
	name = native(runtime.GOOS, name)
	switch {
	case filepath.IsAbs(name):
		return filepath.Clean(name)
	case strings.HasPrefix(name, "/"):
		return path.Clean(name)
	}
	return filepath.Join(dir, name)
}

// Slashed is a path of this machine as runfiles write it.
func Slashed(name string) string { return slashed(runtime.GOOS, name) }

func slashed(goos, name string) string {
	if goos != "windows" {
		return name
	}
	name = strings.ReplaceAll(name, `\`, "/")
	if len(name) > 1 && name[1] == ':' {
		name = "/" + strings.ToLower(name[:1]) + name[2:]
	}
	return name
}

func native(goos, name string) string {
	if goos != "windows" || len(name) < 2 || name[0] != '/' || !isLetter(name[1]) || len(name) > 2 && name[2] != '/' {
		return name
	}
	return strings.ToUpper(name[1:2]) + ":" + strings.ReplaceAll("/"+strings.TrimPrefix(name[2:], "/"), "/", `\`)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
