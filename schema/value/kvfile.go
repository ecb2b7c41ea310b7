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

// FileError is a mistake in a line of an env-file.
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
	var out []KeyValue
	var errs []error
	scan := bufio.NewScanner(r) // lines up to 64 KiB, as docker reads them
	n := 0
	for scan.Scan() {
		n++
		kv, column, err := envLine(scan.Bytes(), n == 1)
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

// envLine reads one line; an empty key means there is nothing on it.
func envLine(line []byte, first bool) (kv KeyValue, column int, err error) {
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
		return kv, column, bad("%q is a variable without a name", text).fix("write NAME=VALUE")
	case strings.ContainsAny(kv.Key, " \t"):
		e := bad("the variable's name %q holds a space", kv.Key)
		if name, ok := strings.CutPrefix(kv.Key, "export "); ok {
			return kv, column, e.fix("remove export: %s=%s", name, kv.Value)
		}
		return kv, column, e.fix("env-files hold NAME=VALUE without spaces around the equals sign")
	}
	return kv, column, noNUL(text)
}
