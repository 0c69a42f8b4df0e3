package ryze_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	. "github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// large is the size of a file that is sent in several pieces.
const large = 100_001

func TestFilesArriveWholeFromEverySource(t *testing.T) {
	for _, size := range []int{1, 2, 3, large} {
		content := append(bytes.Clone(PNGHead), bytes.Repeat([]byte{0xa5, 0x5a, 0x00}, size)...)[:max(size, 1)]
		name := filepath.Join(t.TempDir(), "photo.png")
		require.NoError(t, os.WriteFile(name, content, 0o600))
		file, err := os.Open(name)
		require.NoError(t, err)
		t.Cleanup(func() { _ = file.Close() })
		inFS, err := fstest.MapFS{"photo.png": {Data: content}}.Open("photo.png")
		require.NoError(t, err)
		offset := bytes.NewReader(append([]byte("skipped"), content...))
		_, err = offset.Seek(7, io.SeekStart)
		require.NoError(t, err)

		for what, source := range map[string]MediaSource{
			"path":          MediaFile(name),
			"bytes":         MediaBytes("photo.png", content),
			"file":          MediaReader("photo.png", file),
			"fs":            MediaFS(inFS),
			"seeker":        MediaReader("photo.png", offset),
			"reader":        MediaReader("photo.png", io.MultiReader(bytes.NewReader(content))),
			"slow reader":   MediaReader("photo.png", iotest.OneByteReader(bytes.NewReader(content))),
			"half reader":   MediaReader("photo.png", iotest.HalfReader(bytes.NewReader(content))),
			"data with EOF": MediaReader("photo.png", iotest.DataErrReader(io.MultiReader(bytes.NewReader(content)))),
		} {
			simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
				inst := paired(t, sim, client, "a")
				_, err := inst.Messages.Send(t.Context(), "5511987654321", Media{Source: source, Caption: "look", Kind: MediaImage})
				require.NoError(t, err, what)
				stored := sim.Instance("a").Sent()
				require.Len(t, stored, 1)
				assert.True(t, bytes.Equal(content, stored[0].Media.Bytes), "%s of %d bytes", what, size)
				assert.Equal(t, "photo.png", stored[0].Media.FileName)
				assert.Empty(t, sim.Violations())
			})
		}
	}
}

func TestContentLengthIsKnownWhenTheSizeIs(t *testing.T) {
	for what, c := range map[string]struct {
		source MediaSource
		known  bool
	}{
		"bytes":  {MediaBytes("a.bin", make([]byte, 1000)), true},
		"reader": {MediaReader("a.bin", io.MultiReader(bytes.NewReader(make([]byte, 1000)))), false},
	} {
		var length int64
		client, err := New(WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			n, err := io.Copy(io.Discard, r.Body)
			require.NoError(t, err)
			if length = r.ContentLength; length > 0 {
				assert.Equal(t, length, n)
			}
			return nil, errors.New("enough")
		})}))
		require.NoError(t, err)
		_, _ = client.Instance("a", "t").Messages.Send(t.Context(), "5511987654321", Media{Source: c.source})
		assert.Equal(t, c.known, length > 0, what)
	}
}

func TestBadMediaIsRefusedBeforeAnyRequest(t *testing.T) {
	client, err := New(WithHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("a request was made")
		return nil, http.ErrAbortHandler
	})}))
	require.NoError(t, err)
	dir := t.TempDir()
	dirFile, err := os.Open(dir)
	require.NoError(t, err)
	defer func() { _ = dirFile.Close() }()
	good := MediaBytes("a.png", PNGHead)
	for what, media := range map[string]Media{
		"no source":            {},
		"nil reader":           {Source: MediaReader("a", nil)},
		"nil file":             {Source: MediaFS(nil)},
		"nil seeker":           {Source: MediaReader("a", (*bytes.Reader)(nil))},
		"nil buffer":           {Source: MediaReader("a", (*bytes.Buffer)(nil))},
		"nil os.File":          {Source: MediaFS((*os.File)(nil))},
		"missing file":         {Source: MediaFile(filepath.Join(dir, "missing.png"))},
		"directory":            {Source: MediaFile(dir)},
		"open directory":       {Source: MediaFS(dirFile)},
		"empty":                {Source: MediaBytes("a", nil)},
		"broken reader":        {Source: MediaReader("a", iotest.ErrReader(fs.ErrPermission))},
		"URL without a host":   {Source: MediaURL("https://")},
		"URL with only a port": {Source: MediaURL("https://:443/a.png")},
		"URL with a bad port":  {Source: MediaURL("https://cdn.example:99999/a.png")},
		"URL with a blank":     {Source: MediaURL("https://cdn.example/a.png ")},
		"MIME of one word":     {Source: good, MIME: "image"},
		"URL of a file":        {Source: MediaURL("file:///etc/passwd")},
		"URL with credentials": {Source: MediaURL("https://user:pw@cdn.example/a.png")},
		"path as a name":       {Source: good, FileName: "../a.png"},
		"MIME with a newline":  {Source: good, MIME: "image/png\r\nx: y"},
		"voice image":          {Source: good, Voice: new(true)},
		"negative duration":    {Source: MediaBytes("a.mp3", []byte("ID3\x03")), Duration: -time.Second},
	} {
		_, err := client.Instance("a", "t").Messages.Send(t.Context(), "5511987654321", media)
		var v *ValidationError
		require.ErrorAs(t, err, &v, what)
	}
	_, err = client.Instance("a", "t").Messages.Send(t.Context(), "5511987654321", Media{Source: MediaFile(filepath.Join(dir, "missing.png"))})
	require.ErrorIs(t, err, fs.ErrNotExist, "the file's own error stays reachable")
}

func TestBadRecipientsAndOptionsAreRefusedBeforeAnyRequest(t *testing.T) {
	client, err := New(WithHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("a request was made")
		return nil, http.ErrAbortHandler
	})}))
	require.NoError(t, err)
	m := client.Instance("a", "t").Messages
	for _, to := range []JID{"", "123456789012345", "abc", "+5511987654321", "011987654321", "5511987654321:@s.whatsapp.net", StatusBroadcast, "a@g.us"} {
		_, err := m.SendText(t.Context(), to, "hi")
		var v *ValidationError
		require.ErrorAs(t, err, &v, "%q", to)
		assert.Equal(t, "to", v.Field)
	}
	for what, opts := range map[string][]SendOption{
		"mention outside a group":       {Mention("5511987654321")},
		"mention all outside a group":   {MentionAll()},
		"mention of a group":            {Mention("1@g.us")},
		"private reply outside a group": {ReplyPrivate("3EB0")},
		"empty quote":                   {ReplyTo("")},
		"quote with a control":          {ReplyTo("3EB0\n")},
		"negative delay":                {Delay(-1)},
		"empty label":                   {SourceLabel("")},
		"no time":                       {TimeLimit(0)},
	} {
		_, err := m.SendText(t.Context(), "5511987654321", "hi", opts...)
		require.ErrorIs(t, err, ErrInvalidArgument, what)
	}
	_, err = m.SendText(t.Context(), "5511987654321", "  \n")
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = m.Send(t.Context(), "5511987654321", nil)
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = m.Send(t.Context(), "5511987654321", Media{Source: MediaBytes("a.png", PNGHead)}, LinkPreview(false))
	require.ErrorIs(t, err, ErrInvalidArgument, "the service would ignore it")
}

func TestSendOptionsTravel(t *testing.T) {
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		first, err := inst.Messages.SendText(t.Context(), "120363000000000001@g.us", "first")
		require.NoError(t, err)
		_, err = inst.Messages.SendText(t.Context(), "120363000000000001@g.us", "Hi @5511987654321",
			ReplyTo(first.ID), Delay(1500*time.Millisecond), Mention("5511987654321@s.whatsapp.net", "1@lid"), MentionAll(), LinkPreview(false), SourceLabel("crm"))
		require.NoError(t, err)
		got := sim.Instance("a").Sent()[1].Request
		assert.Equal(t, map[string]any{
			"number": "120363000000000001@g.us", "message": "Hi @5511987654321", "replyTo": first.ID, "delay": json.Number("2"),
			"mention": []any{"5511987654321", "1@lid"}, "mentionAll": true, "linkPreview": false, "source": "crm",
		}, got)
		assert.Empty(t, sim.Violations())
	})
}

func TestFileIsSentAgainWhenItCanBeReadAgain(t *testing.T) {
	content := append(bytes.Clone(PNGHead), bytes.Repeat([]byte("x"), 100_000)...)
	simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
		inst := paired(t, sim, client, "a")
		sim.Fault("messages.media", ryzetest.RateLimited())
		_, err := inst.Messages.Send(t.Context(), "5511987654321", Media{Source: MediaReader("a.png", bytes.NewReader(content))})
		require.NoError(t, err)
		assert.True(t, bytes.Equal(content, sim.Instance("a").Sent()[0].Media.Bytes))

		sim.Fault("messages.media", ryzetest.RateLimited())
		_, err = inst.Messages.Send(t.Context(), "5511987654321", Media{Source: MediaReader("a.png", io.MultiReader(bytes.NewReader(content)))})
		require.ErrorIs(t, err, ErrRateLimited, "a reader that cannot be read again")
		require.NotErrorIs(t, err, ErrOutcomeUnknown)
		assert.Len(t, sim.Instance("a").Sent(), 1)
	})
}

func TestFileThatBreaksOffIsNotAnUnknownOutcome(t *testing.T) {
	broken := errors.New("disk on fire")
	for what, source := range map[string]MediaSource{
		"error in the middle": MediaReader("a.bin", io.MultiReader(strings.NewReader(strings.Repeat("x", 3*large)), iotest.ErrReader(broken))),
	} {
		simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
			inst := paired(t, sim, client, "a")
			_, err := inst.Messages.Send(t.Context(), "5511987654321", Media{Source: source})
			require.ErrorIs(t, err, broken, what)
			require.NotErrorIs(t, err, ErrOutcomeUnknown, "the request was never whole")
			assert.Empty(t, sim.Instance("a").Sent())
		})
	}
}

func TestOneMediaIsSentByManyAtOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.png")
	content := append(bytes.Clone(PNGHead), bytes.Repeat([]byte("x"), 2*large)...)
	require.NoError(t, os.WriteFile(name, content, 0o600))
	for what, source := range map[string]MediaSource{"path": MediaFile(name), "bytes": MediaBytes("a.png", content)} {
		simulated(t, func(t *testing.T, sim *ryzetest.Server, client *Client) {
			inst := paired(t, sim, client, "a")
			media := Media{Source: source}
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					_, err := inst.Messages.Send(t.Context(), "5511987654321", media)
					assert.NoError(t, err, what)
				})
			}
			wg.Wait()
			for _, m := range sim.Instance("a").Sent() {
				assert.True(t, bytes.Equal(content, m.Media.Bytes), what)
			}
		})
	}
}
