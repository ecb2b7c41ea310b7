package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor"
)

func (a *app) eventsVerb() *cobra.Command {
	var since, until, text string
	cmd := &cobra.Command{
		Use: "events [OPTIONS]", Short: "Print what happens to the containers of the project", GroupID: "containers", Args: noArgs,
		Long: "Prints events as they happen, one a line: time, kind of object, what happened, to what, and why. With --since those\n" +
			"that are remembered come first; with --until it ends. --format takes json or a Go template with docker's fields\n" +
			"{{.Type}} {{.Action}} {{.Actor.ID}} {{.Actor.Attributes}} {{.Time}} {{.TimeNano}} and ours, {{.Name}} {{.Detail}}.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.events(cmd.Context(), since, until, text)
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "from a time (2026-11-23T12:00:00Z) or so long ago (10m) on")
	cmd.Flags().StringVar(&until, "until", "", "up to a time or so long ago")
	cmd.Flags().StringVar(&text, "format", "", "json or a Go template")
	return cmd
}

// event is a line of events in docker's shape.
type event struct {
	Type   string
	Action string
	Actor  struct {
		ID         string
		Attributes map[string]string
	}
	Time     int64 `json:"time"`
	TimeNano int64 `json:"timeNano"`
	Name     string
	Detail   string `json:",omitempty"`
	at       time.Time
}

// newEvent puts an event into docker's words; false for those that are not about an object that exists.
func newEvent(ev executor.Event) (event, bool) {
	switch ev.Type {
	case executor.EventPlan, executor.EventDone, executor.EventOutput, executor.EventProgress:
		return event{}, false
	default: // about a container, an image or another object
	}
	e := event{Type: "container", Action: string(ev.Type), Name: ev.Container, Detail: ev.Detail, at: ev.Time}
	if e.Name == "" {
		e.Type, e.Name = "object", ev.Object
	}
	if ev.Type == executor.EventPullStart {
		e.Type, e.Name = "image", ev.Object
	}
	if ev.Type == executor.EventHealth { // docker's spelling
		e.Action, e.Detail = "health_status: "+ev.Detail, ""
	}
	e.Actor.ID = ev.ID
	e.Actor.Attributes = map[string]string{"name": e.Name}
	if ev.ExitCode != nil {
		e.Actor.Attributes["exitCode"] = strconv.Itoa(*ev.ExitCode)
	}
	if ev.Because != "" {
		e.Actor.Attributes["because"] = ev.Because
	}
	e.Time, e.TimeNano = ev.Time.Unix(), ev.Time.UnixNano()
	return e, true
}

func (e event) String() string {
	var extra []string
	if code := e.Actor.Attributes["exitCode"]; code != "" {
		extra = append(extra, "exitCode="+code)
	}
	if because := e.Actor.Attributes["because"]; because != "" {
		extra = append(extra, "because="+because)
	}
	if e.Detail != "" {
		extra = append(extra, terminal.Clean(e.Detail))
	}
	line := fmt.Sprintf("%s %s %s %s", e.at.Local().Format("2006-01-02T15:04:05.000000000Z07:00"), e.Type, e.Action, e.Name)
	if len(extra) > 0 {
		line += " (" + strings.Join(extra, ", ") + ")"
	}
	return line
}

func (a *app) events(ctx context.Context, since, until, text string) error {
	now := time.Now()
	from, err := parseTime("since", since, now)
	if err != nil {
		return err
	}
	to, err := parseTime("until", until, now)
	if err != nil {
		return err
	}
	if err := needRoot("events"); err != nil {
		return err
	}
	show, err := a.eventPrinter(text)
	if err != nil {
		return err
	}
	name, err := a.project()
	if err != nil {
		return err
	}
	client, err := a.connect(ctx, name)
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Events(ctx, from, to, func(ev executor.Event) error {
		if e, ok := newEvent(ev); ok {
			return show(e)
		}
		return nil
	})
}

func (a *app) eventPrinter(text string) (func(event) error, error) {
	switch text {
	case "":
		return func(e event) error { _, err := fmt.Fprintln(a.stdout, e); return err }, nil
	case "json":
		enc := json.NewEncoder(a.stdout)
		return func(e event) error { return enc.Encode(e) }, nil
	}
	t, err := format.Parse(text)
	if err != nil {
		return nil, err
	}
	return func(e event) error { return format.Execute(a.stdout, t, e) }, nil
}
