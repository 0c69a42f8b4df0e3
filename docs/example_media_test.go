package docs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// The code of docs/media.md.

func Example_mediaSend() {
	sim, phone, inst := supportLine()
	defer sim.Close()
	invoice, voice := []byte("%PDF-1.7 ..."), []byte("OggS\x00...")

	err := func(ctx context.Context, to ryze.JID) error {
		_, err := inst.Messages.Send(ctx, to, ryze.Media{
			Source:  ryze.MediaBytes("invoice.pdf", invoice),
			Caption: "Your invoice",
		})
		if err != nil {
			return err
		}
		_, err = inst.Messages.Send(ctx, to, ryze.Media{
			Source: ryze.MediaBytes("answer.ogg", voice), // an audio is a voice note
			Kind:   ryze.MediaAudio,
		})
		if err != nil {
			return err
		}
		_, err = inst.Messages.Send(ctx, to, ryze.Media{
			Source: ryze.MediaURL("https://example.com/song.mp3"),
			Voice:  new(false), // music, with the ordinary player
		}, ryze.TimeLimit(5*time.Minute))
		return err
	}(context.Background(), "5511987654321")
	for _, m := range phone.Sent() {
		fmt.Println(m.Kind)
	}
	fmt.Println(err)
	// Output:
	// document
	// audio
	// audio
	// <nil>
}

func Example_mediaReceive() {
	sim, phone, inst := supportLine()
	defer sim.Close()
	dir, err := os.MkdirTemp("", "media")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	handle := ryze.On(func(ctx context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
		if m.Media == nil || m.Direction != ryze.DirectionIncoming {
			return nil
		}
		return save(ctx, inst, dir, m)
	})

	stream, err := inst.Subscribe(ctx, ryze.WithWebSocket(ryze.WebSocketConfig{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = stream.Close() }()
	phone.Receive(ryzetest.Incoming{
		From: "5511987654321", Media: &ryzetest.File{Kind: "image", FileName: "../view.png", Data: []byte("\x89PNG\r\n\x1a\n...")},
	})
	err = stream.Handle(ctx, ryze.Handlers(handle, func(context.Context, *ryze.Event) error {
		cancel() // enough for an example
		return nil
	}))
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	fmt.Println(len(files), errors.Is(err, context.Canceled))
	// Output:
	// image image/png 11
	// 1 true
}

// save writes the file of a message into a directory.
func save(ctx context.Context, inst *ryze.InstanceClient, dir string, m *ryze.MessageEvent) error {
	file, err := os.CreateTemp(dir, "media-*") // never by the name that the sender chose
	if err != nil {
		return err
	}
	got, err := inst.Messages.Download(ctx, m.ID, file, ryze.DownloadLimit(20<<20))
	err = errors.Join(err, file.Close())
	if err != nil { // what was written may be half a file
		return errors.Join(err, os.Remove(file.Name()))
	}
	fmt.Println(got.Kind, got.MIME, got.Size)
	return nil
}

func Example_mediaInline() {
	body := ryzetest.NewEvents("support-line").Message(ryzetest.Incoming{
		From: "5511987654321", Media: &ryzetest.File{Kind: "audio", MIME: "audio/ogg; codecs=opus", Voice: true, Data: []byte("OggS...")},
	})
	transcribe := func(b []byte) error {
		fmt.Println(bytes.HasPrefix(b, []byte("OggS")))
		return nil
	}

	handle := ryze.On(func(_ context.Context, _ *ryze.Event, m *ryze.MessageEvent) error {
		if m.Media == nil || m.Media.Kind != ryze.MediaAudio || !m.Media.VoiceNote {
			return nil
		}
		voice, err := m.Media.Bytes() // ErrNoInlineMedia: use Download
		if err != nil {
			return err
		}
		return transcribe(voice)
	})

	event, err := ryze.ParseEvent(body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(handle(context.Background(), event))
	// Output:
	// true
	// <nil>
}
