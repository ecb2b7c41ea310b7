package value

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FileError is a mistake in a line of an env-file or label-file.
type FileError struct {
	Line   int // from 1
	Column int // in code points, from 1
	Err    error
}

// Error implements error.
func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns the mistake.
func (e *FileError) Unwrap() error { return e.Err }

// ReadEnvFile reads docker's --env-file format: a byte order mark is dropped, as is white space before a name; lines
// that are empty or begin with # are skipped; NAME=VALUE is taken verbatim, quotes and trailing blanks included; NAME
// alone is looked up, and left out if lookup does not know it. Errors are *FileError, all of a file joined.
func ReadEnvFile(r io.Reader, lookup func(string) (string, bool)) ([]KeyValue, error) {
	return readPairs(r, lookup, "variable")
}

// ReadLabelFile reads docker's --label-file format: that of ReadEnvFile, but a name alone is left out.
func ReadLabelFile(r io.Reader) ([]KeyValue, error) {
	return readPairs(r, func(string) (string, bool) { return "", false }, "label")
}

// readPairs reads lines of NAME=VALUE; what says in messages what the names are of.
func readPairs(r io.Reader, lookup func(string) (string, bool), what string) ([]KeyValue, error) {
	var out []KeyValue
	var errs []error
	scan := bufio.NewScanner(r) // lines up to 64 KiB, as docker reads them
	n := 0
	for scan.Scan() {
		n++
		kv, column, err := pairLine(scan.Bytes(), n == 1, what)
		switch {
		case err != nil:
			errs = append(errs, &FileError{Line: n, Column: column, Err: err})
			continue
		case kv.Key == "":
			continue
		case !kv.HasValue:
			v, ok := lookup(kv.Key)
			if !ok {
				continue
			}
			kv.Value, kv.HasValue, kv.Inherited = v, true, true
		}
		out = append(out, kv)
	}
	if err := scan.Err(); errors.Is(err, bufio.ErrTooLong) {
		errs = append(errs, &FileError{Line: n + 1, Column: 1, Err: bad("the line is longer than 64 KiB")})
	} else if err != nil {
		errs = append(errs, &FileError{Line: n + 1, Column: 1, Err: err})
	}
	return out, errors.Join(errs...)
}

// pairLine reads one line; an empty key means there is nothing on it.
func pairLine(line []byte, first bool, what string) (kv KeyValue, column int, err error) {
	if !utf8.Valid(line) {
		return kv, 1, bad("the line is not UTF-8 text")
	}
	if first {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	text := strings.TrimLeftFunc(string(line), unicode.IsSpace)
	column = 1 + utf8.RuneCount(line) - utf8.RuneCountInString(text)
	if text == "" || text[0] == '#' {
		return kv, column, nil
	}
	kv = cutPair(text)
	switch {
	case kv.Key == "":
		return kv, column, bad("%q is a %s without a name", text, what).fix("write NAME=VALUE")
	case strings.ContainsAny(kv.Key, " \t"):
		e := bad("the %s's name %q holds a space", what, kv.Key)
		if name, ok := strings.CutPrefix(kv.Key, "export "); ok {
			return kv, column, e.fix("remove export: %s=%s", name, kv.Value)
		}
		return kv, column, e.fix("write NAME=VALUE without spaces around the equals sign")
	}
	return kv, column, noNUL(text)
}
