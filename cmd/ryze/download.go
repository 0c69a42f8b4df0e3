package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	ryze "github.com/ryzeapi/ryze-go"
)

type downloadFlags struct {
	file  string
	force bool
	limit int64
}

// downloadView is a download as --json shows it.
type downloadView struct {
	File string `json:"file"`
	MIME string `json:"mime,omitempty"`
	Size int64  `json:"size"`
}

func (a *app) downloadCommand() *cobra.Command {
	var flags downloadFlags
	c := &cobra.Command{
		Use:   "download [NAME] MESSAGE_ID",
		Short: "Save the file of a message",
		Long: `Save the image, video, audio, document or sticker of a message. "ryze history" shows
the ids. Without --file the name is the id, with the ending that fits the type. A
file that is there is not replaced without --force. A download that fails leaves
nothing behind.

With --json: one JSON value.`,
		Example:           `  ryze download support-line 3EB0C767D26B1C2C1D4A --file photo.jpg`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, rest, err := a.named(args, 1)
			if err != nil {
				return err
			}
			if flags.file == "-" && a.asJSON {
				return usage("--file - and --json both want standard output")
			}
			if flags.file == "-" && a.env.terminal.out {
				return usage("--file - writes to standard output, which is a terminal")
			}
			if flags.limit < 1 {
				return usage("--limit is %d; it is at least 1", flags.limit)
			}
			inst, err := a.instance(cmd.Context(), name)
			if err != nil {
				return err
			}
			return a.download(cmd.Context(), inst, rest[0], flags)
		},
	}
	c.Flags().StringVarP(&flags.file, "file", "f", "", "save it as this file; - is standard output")
	c.Flags().BoolVar(&flags.force, "force", false, "replace a file that is there")
	c.Flags().Int64Var(&flags.limit, "limit", 100, "the largest file that is accepted, in MiB")
	a.jsonFlag(c)
	return c
}

func (a *app) download(ctx context.Context, inst *ryze.InstanceClient, id string, flags downloadFlags) error {
	if flags.file != "" && flags.file != "-" && !flags.force {
		if _, err := os.Lstat(flags.file); err == nil {
			return &hinted{usage("%s is there already", flags.file), "--force replaces it"}
		}
	}
	limit := ryze.DownloadLimit(flags.limit << 20)
	if flags.file == "-" {
		_, err := inst.Messages.Download(ctx, id, a.rawOut, limit)
		return err
	}
	size := int64(-1)
	if a.env.terminal.err { // the size is for the bar alone
		if stored, err := inst.Messages.Get(ctx, id); err == nil && stored.Media != nil && stored.Media.Size > 0 {
			size = stored.Media.Size
		}
	}
	dir := filepath.Dir(cmp.Or(flags.file, "x"))
	f, err := os.CreateTemp(dir, ".ryze-download-*")
	if err != nil {
		return usage("%v", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	bar := a.bar(size, "saving "+id)
	got, err := inst.Messages.Download(ctx, id, &countingWriter{f, bar}, limit)
	bar.end()
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	path := cmp.Or(flags.file, fileNameFor(id, got))
	if err := place(f.Name(), path, flags.force); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return &hinted{usage("%s is there already", path), "--force replaces it"}
		}
		return err
	}
	if a.asJSON {
		return a.value(downloadView{path, got.MIME, got.Size})
	}
	a.tell("Saved %s (%s, %d bytes).", path, cmp.Or(got.MIME, string(got.Kind)), got.Size)
	return nil
}

// place gives a file its name, in one step. Without force it replaces nothing.
func place(from, to string, force bool) error {
	if err := os.Chmod(from, 0o644); err != nil { //nolint:gosec // a file like those of other programs
		return err
	}
	if force {
		return os.Rename(from, to)
	}
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(to); err == nil { // a file system without links
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

type countingWriter struct {
	w   io.Writer
	bar *bar
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.bar.add(n)
	return n, err
}

// fileNameFor is a name for a download. The id comes from the arguments, but may
// have been copied from anywhere: nothing of it can lead to another folder.
func fileNameFor(id string, got *ryze.Downloaded) string {
	name := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, id)
	return fmt.Sprintf("%.64s%s", name, extension(got))
}

// usual are the endings that people expect; a system's own table may put others
// first.
var usual = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif", "video/mp4": ".mp4", "audio/ogg": ".ogg",
	"audio/mpeg": ".mp3", "audio/mp4": ".m4a", "application/pdf": ".pdf", "text/plain": ".txt", "text/csv": ".csv", "application/zip": ".zip",
}

func extension(got *ryze.Downloaded) string {
	kind, _, err := mime.ParseMediaType(got.MIME)
	if err != nil {
		return ".bin"
	}
	if ending, ok := usual[kind]; ok {
		return ending
	}
	if endings, err := mime.ExtensionsByType(kind); err == nil && len(endings) > 0 {
		return endings[0]
	}
	return ".bin"
}
