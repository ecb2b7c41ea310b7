package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/progress"
	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor/project"
)

// logsFlags are the options of logs.
type logsFlags struct {
	follow, timestamps, noPrefix, raw bool
	tail, since, until, format        string
}

func (a *app) logsVerb() *cobra.Command {
	var o logsFlags
	cmd := &cobra.Command{
		Use: "logs [OPTIONS] [NAME...]", Short: "Print what containers have written, merged by time", GroupID: "containers",
		Long: "Prints the stored output of the containers of the project in the order in which it was written. With more than one\n" +
			"container each line is headed by the container's name. Standard error goes to standard error.",
		ValidArgsFunction: a.completeContainers,
		RunE:              func(cmd *cobra.Command, refs []string) error { return a.logs(cmd.Context(), o, refs) },
	}
	f := cmd.Flags()
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with what is written from now on")
	f.StringVarP(&o.tail, "tail", "n", "all", "this many lines of each container's end, or all")
	f.StringVar(&o.since, "since", "", "from a time (2026-11-23T12:00:00Z) or so long ago (10m) on")
	f.StringVar(&o.until, "until", "", "up to a time or so long ago")
	f.BoolVarP(&o.timestamps, "timestamps", "t", false, "print the time of each line")
	f.BoolVar(&o.noPrefix, "no-prefix", false, "do not head lines with the container's name")
	f.BoolVar(&o.raw, "raw", false, "pass control sequences on to the terminal")
	f.StringVar(&o.format, "format", "text", "text, or json: one object a line")
	return cmd
}

func (a *app) logs(ctx context.Context, o logsFlags, refs []string) error {
	req, err := o.request(time.Now())
	if err != nil {
		return err
	}
	if err := oneOf("format", o.format, []string{"text", "json"}); err != nil {
		return err
	}
	if err := needRoot("logs"); err != nil {
		return err
	}
	targets, err := a.targets(refs)
	if err != nil || len(targets) == 0 {
		return err
	}
	printer := a.logPrinter(o, targets)
	err = a.eachProject(ctx, targets, func(c *project.Client, _ string, ids []string) error {
		r := req
		r.Containers = ids
		return c.Logs(ctx, r, printer.line)
	})
	return firstError(err, printer.flush())
}

// request turns the flags into what the supervisor is asked.
func (o logsFlags) request(now time.Time) (project.LogsRequest, error) {
	req := project.LogsRequest{Follow: o.follow, Tail: -1}
	if o.tail != "all" && o.tail != "" {
		n, err := strconv.Atoi(o.tail)
		if err != nil {
			return req, usagef("--tail %q is neither a number of lines nor all", o.tail)
		}
		req.Tail = n // negative: all, as docker
	}
	var err error
	if req.Since, err = parseTime("since", o.since, now); err != nil {
		return req, err
	}
	req.Until, err = parseTime("until", o.until, now)
	return req, err
}

// logPrinter prints log lines as text or JSON.
type logPrinter struct {
	out        *progress.Output
	json       *json.Encoder
	warnings   io.Writer
	timestamps bool
	middle     map[string]bool // by container and stream: the last line printed had no end
}

func (a *app) logPrinter(o logsFlags, targets []target) *logPrinter {
	p := &logPrinter{timestamps: o.timestamps, warnings: a.stderr, middle: map[string]bool{}}
	if o.format == "json" {
		p.json = json.NewEncoder(a.stdout)
		return p
	}
	var names []string
	for _, t := range targets {
		names = append(names, t.record.Key)
	}
	p.out = progress.NewOutput(progress.OutputOptions{
		Stdout: a.stdout, Stderr: a.stderr, Names: names, Prefix: len(names) > 1 && !o.noPrefix,
		Colour: a.colour(a.stdout), Filter: terminal.Is(a.stdout) && !o.raw, CI: a.ciSystem() != "",
	})
	return p
}

func (p *logPrinter) line(l project.LogLine) error {
	if p.json != nil {
		return p.json.Encode(struct {
			Container string    `json:"container"`
			Stream    string    `json:"stream"`
			Time      time.Time `json:"time"`
			Line      string    `json:"line"`
		}{l.Container, l.Stream, l.Time, string(l.Line)})
	}
	if l.Stream == "warning" { // the supervisor's: records that were torn by a crash
		_, err := fmt.Fprintf(p.warnings, "runfile: %s: %s\n", l.Container, terminal.Clean(string(l.Line)))
		return err
	}
	data, key := l.Line, l.Container+"\x00"+l.Stream
	if p.timestamps && !p.middle[key] {
		data = append([]byte(l.Time.UTC().Format("2006-01-02T15:04:05.000000000Z")+" "), data...)
	}
	p.middle[key] = len(l.Line) > 0 && l.Line[len(l.Line)-1] != '\n'
	_, err := p.out.Write(l.Container, l.Stream, data)
	return err
}

func (p *logPrinter) flush() error {
	if p.out == nil {
		return nil
	}
	return p.out.Flush()
}

// parseTime reads what docker accepts for since and until: a duration before now, a Unix time, or a date in RFC 3339,
// with less precision if you like. Dates without a zone are local.
func parseTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return time.Unix(0, int64(seconds*1e9)), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02T15", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("--%s %q is no time; write a duration such as 10m, a Unix time, or 2026-11-23T12:00:00Z", flag, text)
}
