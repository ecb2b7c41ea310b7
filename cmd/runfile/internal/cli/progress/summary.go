package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor"
)

// SummaryOptions say how a summary is printed.
type SummaryOptions struct {
	Colour, UTF8 bool
	// Kept says that the containers still exist, so that their logs can be read.
	Kept bool
	// CI is github or gitlab to fold the log lines and annotate the failures, else "".
	CI string
	// Quiet leaves out the last line when nothing failed.
	Quiet bool
}

// WriteSummary prints the failures of a run, what they kept from starting, and one last line with the counts.
func WriteSummary(w io.Writer, r *executor.Result, o SummaryOptions) {
	skips := map[string][]string{}
	count := map[string]int{}
	for _, out := range r.Outcomes {
		count[out.State]++
		if out.State == "skipped" {
			skips[out.Because] = append(skips[out.Because], out.Container)
		}
	}
	for _, out := range r.Outcomes {
		if out.State == "failed" {
			writeFailure(w, out, skips[out.Container], o)
			delete(skips, out.Container)
		}
	}
	for _, out := range r.Outcomes { // skipped because of something that is no container of this run
		if out.State == "skipped" && skips[out.Because] != nil {
			_, _ = fmt.Fprintf(w, "skipped %s  needs %s\n", out.Container, out.Because)
		}
	}
	if bad := count["failed"] + count["skipped"]; bad == 0 && o.Quiet {
		return
	}
	_, _ = fmt.Fprintln(w, lastLine(r, count, o))
}

func lastLine(r *executor.Result, count map[string]int, o SummaryOptions) string {
	var parts []string
	add := func(state, word string, style terminal.Style) {
		if n := count[state]; n > 0 {
			parts = append(parts, terminal.Paint(o.Colour, style, fmt.Sprintf("%d %s", n, word)))
		}
	}
	add("failed", "failed", terminal.Red)
	add("skipped", "skipped", terminal.Yellow)
	add("ok", "ok", terminal.Green)
	add("running", "running", terminal.Green)
	add("stopped", "stopped", terminal.Dim)
	if len(parts) == 0 {
		parts = append(parts, "nothing to do")
	}
	line := strings.Join(parts, ", ") + separator(o) + Clock(r.Elapsed)
	switch r.Reason {
	case "interrupted", "timeout":
		line += separator(o) + r.Reason
	}
	return line
}

func separator(o SummaryOptions) string {
	if o.UTF8 {
		return " · "
	}
	return " - "
}

func writeFailure(w io.Writer, out executor.Outcome, skipped []string, o SummaryOptions) {
	_, rest, _ := strings.Cut(out.Reason, "\n")
	reason := terminal.Clean(headline(out.Reason))
	if reason == "" {
		reason = fmt.Sprintf("exit %d", out.ExitCode)
	}
	if out.Elapsed > 0 && !strings.Contains(reason, " after ") {
		reason += " after " + short(out.Elapsed)
	}
	head := terminal.Paint(o.Colour, terminal.Red, "FAILED "+out.Container) + "  " + reason
	if out.Origin != "" {
		head += "  (" + out.Origin + ")"
	}
	_, _ = fmt.Fprintln(w, head)
	if o.CI == "github" {
		_, _ = fmt.Fprintln(w, annotation(out, reason))
	}
	if rest != "" {
		writeQuoted(w, strings.Split(strings.TrimRight(rest, "\r\n"), "\n"), o)
	}
	if len(skipped) > 0 {
		_, _ = fmt.Fprintf(w, "  skipped because of it: %s\n", strings.Join(skipped, ", "))
	}
	writeTail(w, out, o)
	try := "runfile up " + out.Container
	if o.Kept && out.Elapsed > 0 { // it ran, so there may be logs
		try = "runfile logs " + out.Container + separator(o) + try
	}
	_, _ = fmt.Fprintf(w, "  try: %s\n", try)
}

func writeTail(w io.Writer, out executor.Outcome, o SummaryOptions) {
	if len(out.Tail) == 0 {
		return
	}
	title := fmt.Sprintf("last %s of %s", Plural(len(out.Tail), "line"), out.Container)
	switch o.CI {
	case "github":
		_, _ = fmt.Fprintf(w, "::group::%s\n", title)
	case "gitlab":
		_, _ = fmt.Fprintf(w, "\x1b[0Ksection_start:0:%s\r\x1b[0K%s\n", sectionName(out.Container), title)
	default:
		_, _ = fmt.Fprintf(w, "  last %s:\n", Plural(len(out.Tail), "line"))
	}
	writeQuoted(w, out.Tail, o)
	switch o.CI {
	case "github":
		_, _ = fmt.Fprintln(w, "::endgroup::")
	case "gitlab":
		_, _ = fmt.Fprintf(w, "\x1b[0Ksection_end:0:%s\r\x1b[0K\n", sectionName(out.Container))
	}
}

// writeQuoted prints what a container wrote, indented behind a bar, so that nobody takes it for words of ours.
func writeQuoted(w io.Writer, lines []string, o SummaryOptions) {
	bar := "|"
	if o.UTF8 {
		bar = "│"
	}
	for _, line := range lines {
		line = terminal.Clean(strings.TrimRight(line, "\r\n"))
		if o.CI != "" {
			line = string(defuse([]byte(line)))
		}
		_, _ = fmt.Fprintf(w, "    %s %s\n", bar, line)
	}
}

// sectionName makes a GitLab section name, which allows letters, digits, dots, dashes and underscores.
func sectionName(container string) string {
	return "runfile_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, container)
}

// annotation is GitHub's workflow command for a failed container, at its line of the manifest.
func annotation(out executor.Outcome, reason string) string {
	escape := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	where := ""
	if file, line, ok := splitOrigin(out.Origin); ok {
		where = fmt.Sprintf(" file=%s,line=%s", property.Replace(file), line)
	}
	return fmt.Sprintf("::error%s::%s failed: %s", where, escape.Replace(out.Container), escape.Replace(reason))
}

// splitOrigin takes file:line:column apart.
func splitOrigin(origin string) (file, line string, ok bool) {
	rest, _, ok := cutLast(origin)
	if !ok {
		return "", "", false
	}
	file, line, ok = cutLast(rest)
	return file, line, ok
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// short prints a duration with a tenth of a second below a minute, and as a clock above.
func short(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return Clock(d)
}

// WriteMarkdown writes the summary as GitHub's job summary shows it.
func WriteMarkdown(w io.Writer, project string, r *executor.Result) error {
	cell := strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;")
	var b strings.Builder
	fmt.Fprintf(&b, "### runfile: %s\n\n| container | role | state | exit | time |\n|---|---|---|---|---|\n", cell.Replace(project))
	for _, out := range r.Outcomes {
		role, state := "job", out.State
		if out.Service {
			role = "service"
		}
		if out.Because != "" {
			state += " (needs " + out.Because + ")"
		} else if out.Reason != "" {
			state += " (" + terminal.Clean(out.Reason) + ")"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s |\n", cell.Replace(out.Container), role, cell.Replace(state), out.ExitCode, short(out.Elapsed))
	}
	_, err := io.WriteString(w, b.String()+"\n")
	return err
}

// WriteResult writes the result of a run as the last line of JSON progress.
func WriteResult(w io.Writer, r *executor.Result) error {
	line := struct {
		Version int    `json:"v"`
		Kind    string `json:"kind"`
		State   string `json:"state"`
		*executor.Result
	}{1, "run", "done", r}
	if err := json.NewEncoder(w).Encode(line); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}
