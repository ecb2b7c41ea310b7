package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
)

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return epoch.Add(time.Duration(seconds*1000) * time.Millisecond) }

func code(n int) *int { return &n }

// story is a run in which a job fails and another is skipped because of it.
func story() []executor.Event {
	return []executor.Event{
		{Type: executor.EventPlan, Time: at(0), Total: 9},
		{Type: executor.EventPullStart, Time: at(0), Object: "busybox"},
		{
			Type: executor.EventProgress, Time: at(0.5), Object: "busybox",
			Progress: &engine.Progress{Detail: "layer 1 of 1", Current: 1 << 20, Total: 2 << 20},
		},
		{Type: executor.EventStepDone, Time: at(1), Object: "busybox", Detail: "pull busybox"},
		{Type: executor.EventCreate, Time: at(1), Container: "db"},
		{Type: executor.EventStart, Time: at(1.2), Container: "db"},
		{Type: executor.EventHealth, Time: at(2), Container: "db", Detail: "healthy"},
		{Type: executor.EventStart, Time: at(2.1), Container: "test"},
		{Type: executor.EventOutput, Time: at(2.2), Container: "test", Stream: "stdout", Data: []byte("x")},
		{Type: executor.EventDie, Time: at(4.1), Container: "test", ExitCode: code(3), Detail: "exit 3"},
		{Type: executor.EventFail, Time: at(4.1), Container: "test", Detail: "exit 3", Origin: "runfile.yaml:9:3"},
		{Type: executor.EventSkip, Time: at(4.1), Container: "deploy", Because: "test"},
		{Type: executor.EventStop, Time: at(4.3), Container: "db"},
	}
}

func entries() []Entry {
	return []Entry{{"db", true}, {"test", false}, {"deploy", false}}
}

func TestPlain(t *testing.T) {
	var out bytes.Buffer
	u := New(Options{Out: &out, Mode: Plain, Project: "shop", Entries: entries()})
	for _, ev := range story() {
		u.Observe(ev)
	}
	u.Close()
	want := strings.TrimPrefix(`
    0.0s  busybox  pulling
    1.0s  busybox  pulled
    1.0s  db  created
    1.2s  db  started
    2.0s  db  healthy
    2.1s  test  started
    4.1s  test  exit 3
    4.1s  test  failed  exit 3  (runfile.yaml:9:3)
    4.1s  deploy  skipped  needs test
    4.3s  db  stopped
`, "\n")
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestQuietPrintsFailuresOnly(t *testing.T) {
	var out bytes.Buffer
	u := New(Options{Out: &out, Mode: Quiet, Entries: entries()})
	for _, ev := range story() {
		u.Observe(ev)
	}
	u.Close()
	if want := "    4.1s  test  failed  exit 3  (runfile.yaml:9:3)\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	u := New(Options{Out: &out, Mode: JSON, Entries: entries()})
	for _, ev := range story()[9:12] {
		u.Observe(ev)
	}
	want := `{"v":1,"time":"2026-11-23T12:00:04.1Z","id":"test","kind":"container","state":"exit 3","exitCode":3}
{"v":1,"time":"2026-11-23T12:00:04.1Z","id":"test","kind":"container","state":"failed","detail":"exit 3","origin":"runfile.yaml:9:3"}
{"v":1,"time":"2026-11-23T12:00:04.1Z","id":"deploy","kind":"container","state":"skipped","detail":"needs test"}
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestFrame(t *testing.T) {
	m := newModel("shop", entries())
	for _, ev := range story()[:8] {
		m.observe(ev)
	}
	got := strings.Join(m.frame(at(3.5), look{utf8: true, columns: 80, rows: 24}), "\n")
	want := `shop · 3 containers · 0:03   2 running  1 waiting
 ● db      service  healthy        0:02
 ● test    job      running        0:01
 ○ deploy  job      waiting`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, ev := range story()[8:] {
		m.observe(ev)
	}
	got = strings.Join(m.frame(at(5), look{columns: 30, rows: 4}), "\n")
	want = `shop · 3 containers · 0:05   1
 x test  job      failed
 ... 2 more`
	if got != want {
		t.Errorf("small terminal: got\n%s\nwant\n%s", got, want)
	}
}

// TestTableAndOutput replays what a terminal shows: output stands above the table and the table is whole.
func TestTableAndOutput(t *testing.T) {
	var out bytes.Buffer
	u := &UI{
		o:     Options{Out: &out, Mode: TTY, UTF8: true, Size: func() (int, int) { return 80, 24 }},
		model: newModel("p", entries()[:1]), stop: make(chan struct{}),
	}
	u.Observe(executor.Event{Type: executor.EventStart, Time: at(0), Container: "db"})
	u.redraw(at(1))
	u.Above(func() bool { out.WriteString("half"); return false })
	u.redraw(at(1)) // must not draw into an unfinished line
	u.Above(func() bool { out.WriteString(" done\n"); return true })
	u.redraw(at(2))
	u.Close()
	if got, want := screen(out.String()), "half done"; got != want {
		t.Errorf("screen is %q, want %q; bytes %q", got, want, out.String())
	}
	if strings.Count(out.String(), "1 container ") != 2 {
		t.Errorf("want the table drawn twice: %q", out.String())
	}
}

// screen interprets the few control sequences that the table uses.
func screen(s string) string {
	lines, y := []string{""}, 0
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "\x1b[2K"):
			lines[y], i = "", i+3
		case strings.HasPrefix(s[i:], "\x1b[J"):
			lines, i = append(lines[:y:y], ""), i+2
		case s[i] == '\x1b':
			n := int(s[i+2] - '0')
			y, i = y-n, i+3
		case s[i] == '\r':
		case s[i] == '\n':
			if y++; y == len(lines) {
				lines = append(lines, "")
			}
		default:
			lines[y] += s[i : i+1]
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func TestOutputPrefixes(t *testing.T) {
	var stdout, stderr bytes.Buffer
	o := NewOutput(OutputOptions{Stdout: &stdout, Stderr: &stderr, Names: []string{"db", "test"}, Prefix: true, CI: true})
	write := func(container, stream, data string) {
		if _, err := o.Write(container, stream, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	write("db", "stdout", "one\ntw")
	write("test", "stdout", "a\n")
	write("db", "stdout", "o\n")
	write("test", "stderr", "::stop-commands::x\n")
	write("test", "stdout", "no newline")
	if err := o.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := "db   | one\ntest | a\ndb   | two\ntest | no newline\n"; stdout.String() != want {
		t.Errorf("stdout %q, want %q", stdout.String(), want)
	}
	if strings.Contains(stderr.String(), "::") {
		t.Errorf("a CI command survives: %q", stderr.String())
	}
}

func TestOutputOfOneContainerIsRaw(t *testing.T) {
	var stdout bytes.Buffer
	o := NewOutput(OutputOptions{Stdout: &stdout, Names: []string{"x"}})
	data := "\x00\xff\x1b[2J no newline"
	if ends, err := o.Write("x", "stdout", []byte(data)); err != nil || ends {
		t.Errorf("ends %v, err %v", ends, err)
	}
	if stdout.String() != data {
		t.Errorf("got %q", stdout.String())
	}
}

func TestOutputFiltersTerminal(t *testing.T) {
	var stdout bytes.Buffer
	o := NewOutput(OutputOptions{Stdout: &stdout, Names: []string{"a", "b"}, Prefix: true, Filter: true})
	_, _ = o.Write("a", "stdout", []byte("\x1b[31mred\n\x1b]52;c;x\x07fake\rb | real\r\n"))
	want := "a | \x1b[31mred\x1b[0m\na | ^[]52;c;x^Gfake^Mb | real\n"
	if stdout.String() != want {
		t.Errorf("got %q, want %q", stdout.String(), want)
	}
}

func failedResult() *executor.Result {
	return &executor.Result{ExitCode: 3, Reason: "job-failed", Elapsed: 44 * time.Second, Outcomes: []executor.Outcome{
		{Container: "db", Service: true, State: "stopped"},
		{
			Container: "test", State: "failed", ExitCode: 3, Reason: "exit 3", Origin: "runfile.yaml:44:3",
			Elapsed: 17200 * time.Millisecond, Tail: []string{"--- FAIL: TestRetry", "    got \x1b[2J2\r"},
		},
		{Container: "deploy", State: "skipped", Because: "test"},
		{Container: "lint", State: "ok"},
	}}
}

func TestSummary(t *testing.T) {
	var out bytes.Buffer
	WriteSummary(&out, failedResult(), SummaryOptions{UTF8: true, Kept: true})
	want := `FAILED test  exit 3 after 17.2s  (runfile.yaml:44:3)
  skipped because of it: deploy
  last 2 lines:
    │ --- FAIL: TestRetry
    │     got ^[[2J2
  try: runfile logs test · runfile up test
1 failed, 1 skipped, 1 ok, 1 stopped · 0:44
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestSummaryGitHub(t *testing.T) {
	var out bytes.Buffer
	WriteSummary(&out, failedResult(), SummaryOptions{CI: "github"})
	for _, want := range []string{
		"::error file=runfile.yaml,line=44::test failed: exit 3 after 17.2s\n",
		"::group::last 2 lines of test\n", "::endgroup::\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, out.String())
		}
	}
}

func TestSummaryQuietAndGood(t *testing.T) {
	var out bytes.Buffer
	WriteSummary(&out, &executor.Result{Outcomes: []executor.Outcome{{Container: "a", State: "ok"}}}, SummaryOptions{Quiet: true})
	if out.Len() > 0 {
		t.Errorf("quiet success prints %q", out.String())
	}
}

func TestMarkdown(t *testing.T) {
	var out bytes.Buffer
	if err := WriteMarkdown(&out, "shop", failedResult()); err != nil {
		t.Fatal(err)
	}
	if want := "| deploy | job | skipped (needs test) | 0 | 0.0s |\n"; !strings.Contains(out.String(), want) {
		t.Errorf("%q is missing from\n%s", want, out.String())
	}
}

func TestBytesAndClock(t *testing.T) {
	for n, want := range map[int64]string{0: "0B", 999: "999B", 1200: "1.2kB", 148_000_000: "148MB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %s, want %s", n, got, want)
		}
	}
	if got := Clock(3661 * time.Second); got != "1:01:01" {
		t.Errorf("Clock = %s", got)
	}
}

// TestWords: a line says once what happened, and never what somebody else wrote as if it were ours.
func TestWords(t *testing.T) {
	for _, tt := range []struct {
		ev   executor.Event
		want string
	}{
		{executor.Event{Type: executor.EventDie, ExitCode: code(9), Detail: "exit 9, restart on-failure"}, "exit 9  restart on-failure"},
		{executor.Event{Type: executor.EventDie, ExitCode: code(9), Detail: "exit 9, and all 2 restarts are used up"}, "exit 9  all 2 restarts are used up"},
		{executor.Event{Type: executor.EventDie, ExitCode: code(1), Detail: "exit 12"}, "exit 1  exit 12"},
		{executor.Event{Type: executor.EventRestart, Detail: "exit 9, restart on-failure, in 100ms"}, "restarting  in 100ms"},
		{executor.Event{Type: executor.EventRestart, Detail: `"db" has restarted`}, `restarting  "db" has restarted`},
		{executor.Event{Type: executor.EventKill, Detail: "signal 15"}, "got SIGTERM"},
		{executor.Event{Type: executor.EventKill, Detail: "signal 9, still running after 2s"}, "killed  still running after 2s"},
		{executor.Event{Type: executor.EventFail, Detail: "unhealthy, last exit 1:\none\ntwo"}, "failed  unhealthy, last exit 1"},
	} {
		var out bytes.Buffer
		u := New(Options{Out: &out, Mode: Plain, Entries: entries()})
		tt.ev.Time, tt.ev.Container = epoch, "db"
		u.Observe(tt.ev)
		u.Close()
		if got := strings.TrimPrefix(out.String(), "    0.0s  db  "); got != tt.want+"\n" {
			t.Errorf("%s %q: %q, want %q", tt.ev.Type, tt.ev.Detail, got, tt.want)
		}
	}
}

func TestSummaryQuotesLongReasons(t *testing.T) {
	var out bytes.Buffer
	WriteSummary(&out, &executor.Result{Outcomes: []executor.Outcome{{
		Container: "db", Service: true, State: "failed", ExitCode: 1, Elapsed: time.Second,
		Reason: "unhealthy, last exit 1:\none\n\x1b[2Jtwo\n", Origin: "runfile.yaml:2:3",
	}}, ExitCode: 1}, SummaryOptions{})
	want := `FAILED db  unhealthy, last exit 1 after 1.0s  (runfile.yaml:2:3)
    | one
    | `
	if got := out.String(); !strings.HasPrefix(got, want) || strings.Contains(got, "\x1b") || !strings.Contains(got, "two\n  try: runfile up db\n") {
		t.Errorf("got %q", got)
	}
}
