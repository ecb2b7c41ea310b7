//go:build unix

package logs

import (
	"os"
	"strconv"
	"syscall"
)

// originOf names a file by its inode.
func originOf(info os.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return "inode " + strconv.FormatUint(st.Ino, 10)
}
