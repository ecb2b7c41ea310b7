package state

import (
	"os"

	"golang.org/x/sys/unix"
)

// replace puts a complete new file in the place of path. Exchanging the two and removing the old one is as atomic as a
// rename over it, and three times as fast on ext4 (61 against 176 us): a rename over a file makes ext4 write the new
// one to disk at once, for a safety against power loss that this package does not promise. Where there is nothing to
// exchange, or the file system cannot, it is a rename.
func replace(temp, path string) error {
	if exchange(temp, path) != nil {
		return os.Rename(temp, path)
	}
	if err := os.Remove(temp); err != nil { // a directory was in the way, and a rename would have failed
		_ = exchange(temp, path) // the first error counts
		return err
	}
	return nil
}

// swap puts a complete new file in the place of path and keeps the old one as the spare for the next time.
func swap(spare, path string) error {
	if exchange(spare, path) == nil {
		return nil
	}
	return os.Rename(spare, path) // there is no file yet, or the file system cannot exchange
}

func exchange(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}
