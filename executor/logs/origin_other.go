//go:build !unix

package logs

import "os"

// originOf cannot name files here; no engine writes logs on such a host.
func originOf(os.FileInfo) string { return "" }
