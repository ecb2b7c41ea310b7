package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	units "github.com/docker/go-units"
	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
)

func (a *app) imagesVerb() *cobra.Command {
	var quiet, full bool
	var text string
	cmd := &cobra.Command{
		Use: "images [OPTIONS]", Short: "List the images of this host", GroupID: "images", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.images(cmd.Context(), quiet, full, text) },
	}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "ids only")
	cmd.Flags().BoolVar(&full, "no-trunc", false, "whole ids and paths")
	cmd.Flags().StringVar(&text, "format", "", "table, json, yaml or a Go template with docker's fields")
	return cmd
}

// imageRow is a row of images, in docker's fields.
type imageRow struct {
	Repository   string
	Tag          string
	Digest       string
	ID           string
	CreatedSince string
	CreatedAt    string
	Size         string
	Platform     string
}

const imageColumns = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"

func imageHeaders() format.Headers {
	return format.Headers{
		"Repository": "REPOSITORY", "Tag": "TAG", "Digest": "DIGEST", "ID": "IMAGE ID", "CreatedSince": "CREATED",
		"CreatedAt": "CREATED AT", "Size": "SIZE", "Platform": "PLATFORM",
	}
}

// storedImage is what images needs to know of an image.
type storedImage struct {
	id, digest, platform string
	names                []string // canonical: docker.io/library/busybox:latest
	created              time.Time
	size                 int64
}

func (a *app) images(ctx context.Context, quiet, full bool, text string) error {
	if err := needRoot("images"); err != nil {
		return err
	}
	stored, err := storedImages(ctx, a.paths)
	if err != nil {
		return err
	}
	rows := []imageRow{}
	for _, img := range stored {
		rows = append(rows, imageRows(img, time.Now(), full)...)
	}
	slices.SortFunc(rows, func(a, b imageRow) int {
		return cmp.Or(cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.ID, b.ID))
	})
	if !quiet {
		return format.List(a.stdout, text, imageColumns, imageHeaders(), rows)
	}
	seen := map[string]bool{}
	for _, row := range rows {
		if seen[row.ID] {
			continue
		}
		seen[row.ID] = true
		if _, err := fmt.Fprintln(a.stdout, row.ID); err != nil {
			return err
		}
	}
	return nil
}

// splitPath shows what came from a file by that file's name: archives have long paths, and a tag of their own.
func splitPath(transport, rest string, full bool) (repository, tag string) {
	dir, file := filepath.Split(rest)
	if dir != "" && !full {
		dir = ".../"
	}
	if i := strings.LastIndexByte(file, ':'); i >= 0 {
		return transport + ":" + dir + file[:i], file[i+1:]
	}
	return transport + ":" + dir + file, "<none>"
}

// imageRows makes a row for each name of an image.
func imageRows(img storedImage, now time.Time, full bool) []imageRow {
	row := imageRow{
		Repository: "<none>", Tag: "<none>", Digest: img.digest, ID: img.id, Platform: img.platform,
		Size: units.HumanSizeWithPrecision(float64(img.size), 3), CreatedSince: "N/A", CreatedAt: "N/A",
	}
	if !full {
		row.ID = format.ShortID(img.id)
	}
	if !img.created.IsZero() {
		row.CreatedSince = units.HumanDuration(now.Sub(img.created)) + " ago"
		row.CreatedAt = img.created.Local().Format("2006-01-02 15:04:05 -0700 MST")
	}
	if len(img.names) == 0 {
		return []imageRow{row}
	}
	var rows []imageRow
	for _, name := range img.names {
		r := row
		r.Repository, r.Tag = splitName(name, full)
		rows = append(rows, r)
	}
	return rows
}

// splitName takes a canonical name apart as docker shows it: without docker.io/library/, and <none> for a digest's tag.
func splitName(name string, full bool) (repository, tag string) {
	if transport, rest, ok := strings.Cut(name, ":"); ok && slices.Contains([]string{"oci", "oci-archive", "docker-archive"}, transport) {
		return splitPath(transport, rest, full)
	}
	name = strings.TrimPrefix(strings.TrimPrefix(name, "docker.io/"), "library/")
	name, _, digested := strings.Cut(name, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		return name[:i], name[i+1:]
	}
	if digested {
		return name, "<none>"
	}
	return name, "latest"
}
