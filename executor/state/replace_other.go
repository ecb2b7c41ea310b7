//go:build !linux

package state

import "os"

func replace(temp, path string) error { return os.Rename(temp, path) }

func swap(spare, path string) error { return os.Rename(spare, path) }
