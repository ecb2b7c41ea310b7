package project

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/logs"
	"github.com/runfile/runfile/executor/state"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// writeLog stores lines at seconds after noon and returns where.
func writeLog(t *testing.T, seconds ...int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	d, err := logs.Open("json-file", nil, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range seconds {
		e := logs.Entry{Time: noon.Add(time.Duration(s) * time.Second), Stream: logs.Stdout, Line: fmt.Append(nil, s)}
		if err := d.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMergeOrdersByTime(t *testing.T) {
	list := []logSource{
		{container: "a", path: writeLog(t, 1, 4, 5)},
		{container: "b", path: writeLog(t, 2, 3, 6)},
		{container: "c", path: writeLog(t)},
		{container: "d", path: filepath.Join(t.TempDir(), "missing")},
	}
	for name, c := range map[string]struct {
		r    LogsRequest
		want string
	}{
		"all":   {LogsRequest{Tail: -1}, "a1 b2 b3 a4 a5 b6"},
		"tail":  {LogsRequest{Tail: 1}, "a5 b6"},
		"none":  {LogsRequest{Tail: 0}, ""},
		"since": {LogsRequest{Tail: -1, Since: noon.Add(4 * time.Second)}, "a4 a5 b6"},
		"until": {LogsRequest{Tail: -1, Until: noon.Add(3 * time.Second)}, "a1 b2 b3"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := mergeLogs(t.Context(), list, c.r, func(l LogLine) error {
				got = append(got, l.Container+strings.TrimSuffix(string(l.Line), "\n"))
				return nil
			})
			if text := strings.Join(got, " "); err != nil || text != c.want {
				t.Errorf("got %q, %v; want %q", text, err, c.want)
			}
		})
	}
}

// TestMergeFollows follows a silent container beside one that has stored lines, and then both.
func TestMergeFollows(t *testing.T) {
	pathA, pathB := writeLog(t, 1, 3), writeLog(t, 2)
	done := make(chan struct{})
	list := []logSource{
		{container: "a", path: pathA, done: done},
		{container: "b", path: pathB, done: done},
		{container: "old", path: writeLog(t, 4)},
	}
	d, err := logs.Open("json-file", nil, pathB)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = mergeLogs(t.Context(), list, LogsRequest{Follow: true, Tail: -1}, func(l LogLine) error {
		got = append(got, l.Container+strings.TrimSuffix(string(l.Line), "\n"))
		switch len(got) {
		case 4: // everything stored has come, although a and b are silent
			return d.Write(logs.Entry{Time: noon.Add(time.Minute), Stream: logs.Stderr, Line: []byte("late")})
		case 5:
			close(done)
		}
		return nil
	})
	want := []string{"a1", "b2", "a3", "old4", "blate"}
	if err := errors.Join(err, d.Close()); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestMergeStopsWithItsReader(t *testing.T) {
	list := []logSource{{container: "a", path: writeLog(t, 1, 2)}, {container: "b", path: writeLog(t, 1), done: make(chan struct{})}}
	boom := errors.New("boom")
	err := mergeLogs(t.Context(), list, LogsRequest{Follow: true, Tail: -1}, func(LogLine) error { return boom })
	if !errors.Is(err, boom) {
		t.Errorf("error of the reader: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = mergeLogs(ctx, list, LogsRequest{Follow: true, Tail: -1}, func(LogLine) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestMergeReportsDamage(t *testing.T) {
	path := writeLog(t, 1)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("{\"log\":\"to\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	err = mergeLogs(t.Context(), []logSource{{container: "a", path: path}}, LogsRequest{Tail: -1}, func(l LogLine) error {
		got = append(got, l.Stream+": "+string(l.Line))
		return nil
	})
	want := []string{"stdout: 1\n", "warning: 1 damaged records of the log were passed over\n"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestContainerLogSharesOneFile(t *testing.T) {
	rec := &executor.Record{ID: state.NewID(), Key: "web", Project: "p", Spec: newContainer("web")}
	paths := state.Paths{Root: t.TempDir()}
	stdout, stderr, err := containerLog(paths, rec)
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := stdout.Write([]byte("out\n"))
	err2 := stdout.Close() // the other stream still writes
	_, err3 := stderr.Write([]byte("unfinished"))
	if err := errors.Join(err1, err2, err3, stderr.Close()); err != nil {
		t.Fatal(err)
	}
	var got []string
	early := *rec // as it was saved before the start
	early.LogPath = ""
	list := sources(paths, []executor.Record{early, {Key: "nolog", Project: "p", ID: "x"}}, nil)
	err = mergeLogs(t.Context(), list, LogsRequest{Tail: -1}, func(l LogLine) error {
		got = append(got, l.Container+" "+l.Stream+" "+string(l.Line))
		return nil
	})
	if want := []string{"web stdout out\n", "web stderr unfinished"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
