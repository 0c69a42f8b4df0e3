// Command media sends files and receives one: a document from memory, a picture
// from the program itself, a voice note, an export that is made while it is
// sent; then it saves the picture that a customer sends.
//
//	go run ./examples/media
//
// plays it against a simulator. With a number of yours (RYZE_INSTANCE and
// RYZE_INSTANCE_TOKEN), name somebody who will answer with a picture:
//
//	go run ./examples/media -to 5511987654321 -dir downloads
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	ryze "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/examples/internal/demo"
)

//go:embed files
var files embed.FS

func main() {
	var s settings
	flag.StringVar((*string)(&s.to), "to", "", "whom to write to, with the real service: digits with country code")
	flag.StringVar(&s.dir, "dir", "", "where to save what is received; a temporary directory if not set")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	service, err := open(&s)
	if err == nil {
		err = errors.Join(run(ctx, service, s, os.Stdout), service.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "media:", err)
		os.Exit(1)
	}
}

type settings struct {
	to   ryze.JID
	dir  string
	rows int // of the export
}

func run(ctx context.Context, service *demo.Service, s settings, out io.Writer) error {
	inst := service.Instance
	stream, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}), ryze.WithEvents(ryze.EventMessage))
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()

	// A document from memory. Kind is needed only where the file's type would
	// say something else.
	if err := send(ctx, inst, s.to, out, ryze.Media{
		Source: ryze.MediaBytes("prices.csv", []byte("pizza,30\nsalad,18\n")), Kind: ryze.MediaDocument, Caption: "Our prices",
	}); err != nil {
		return err
	}
	// Files of an embed.FS, or of any other fs.FS. An audio is sent as a voice
	// note unless Voice says otherwise.
	for _, name := range []string{"files/view.png", "files/note.ogg"} {
		file, err := files.Open(name)
		if err != nil {
			return err
		}
		err = send(ctx, inst, s.to, out, ryze.Media{Source: ryze.MediaFS(file)})
		_ = file.Close()
		if err != nil {
			return err
		}
	}
	// A file that exists nowhere: it is sent while it is made, and takes no
	// memory. Large files on slow lines want a longer limit.
	rows := export(s.rows)
	defer func() { _ = rows.Close() }()
	sum := sha256.New()
	if err := send(ctx, inst, s.to, out, ryze.Media{
		Source: ryze.MediaReader("export.csv", io.TeeReader(rows, sum)), Kind: ryze.MediaDocument,
	}, ryze.TimeLimit(10*time.Minute)); err != nil {
		return err
	}
	fmt.Fprintf(out, "The export's SHA-256 is %x.\n", sum.Sum(nil))

	fmt.Fprintln(out, "Now send a picture.")
	ctx, end := service.Play(ctx, customer)
	defer end()
	for event, err := range stream.All() {
		if err != nil {
			return err
		}
		message, ok := event.Data.(*ryze.MessageEvent)
		if !ok || message.Direction != ryze.DirectionIncoming || message.Media == nil {
			continue
		}
		return receive(ctx, inst, message, s.dir, out)
	}
	return stream.Err()
}

func send(ctx context.Context, inst *ryze.InstanceClient, to ryze.JID, out io.Writer, file ryze.Media, options ...ryze.SendOption) error {
	sent, err := inst.Messages.Send(ctx, to, file, options...)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Sent: %s, %s, %d bytes (%s)\n", sent.Type, sent.Media.MIME, sent.Media.Size, sent.ID)
	return nil
}

// receive saves the file of a message. The event does not carry it: a stream
// configured with MediaBase64 would, at the price of large events.
func receive(ctx context.Context, inst *ryze.InstanceClient, message *ryze.MessageEvent, dir string, out io.Writer) (err error) {
	fmt.Fprintf(out, "%s sends %s %q.\n", message.Sender.Name, message.Media.Kind, message.Media.FileName)

	// The name is the sender's choice. It is made harmless, and an os.Root
	// lets nothing out of the directory whatever it is called.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	name := safeName(message.ID) + "-" + safeName(message.Media.FileName)
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}

	// The service may need a moment before it has the file. Download waits for
	// it, and reads no more than the limit.
	got, err := inst.Messages.Download(ctx, message.ID, file, ryze.DownloadLimit(20<<20), ryze.DownloadWait(30*time.Second))
	err = errors.Join(err, file.Close())
	if err != nil { // what is there may be half a file
		return errors.Join(err, root.Remove(name))
	}
	fmt.Fprintf(out, "Saved: %s, %s, %d bytes: %s\n", got.Kind, got.MIME, got.Size, filepath.Join(dir, name))
	return nil
}

// safeName keeps of a name what no file system and no shell takes for more
// than a name.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '_'
	}, name)
	name = strings.TrimLeft(name, "._-")
	if len(name) > 80 {
		name = name[len(name)-80:] // the end has the extension
	}
	if name == "" {
		return "file"
	}
	return name
}

// export makes a large CSV while it is read.
func export(rows int) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		buffered := bufio.NewWriter(w)
		for i := range rows {
			if _, err := fmt.Fprintf(buffered, "%08d,pizza,30.00,paid,2026-11-23T20:15:00Z\n", i); err != nil {
				return // nobody reads any more
			}
		}
		// An error here would reach the reader, and end the send.
		_ = w.CloseWithError(buffered.Flush())
	}()
	return r
}
