package ryze

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mediaAnswer(b64 string) string {
	return `{"success":true,"message":"Base64 retrieved successfully","message_id":"` + anID + `","mime_type":"image/png","media_type":"image","base64":"` + b64 + `"}`
}

func TestDownloadFindsTheMediaWhereverTheyStand(t *testing.T) {
	media := bytes.Repeat([]byte("\x89PNG\xff\x00?>"), 10_000)
	b64 := base64.StdEncoding.EncodeToString(media)
	for name, body := range map[string]string{
		"last":            mediaAnswer(b64),
		"first":           `{"base64":"` + b64 + `","success":true,"message_id":"` + anID + `","mime_type":"image/png","media_type":"image"}`,
		"alone but for":   ` { "base64" : "` + b64 + `" , "message_id" : "` + anID + `","mime_type":"image/png","media_type":"image" } ` + "\n",
		"escaped slashes": mediaAnswer(strings.ReplaceAll(b64, "/", `\/`)),
		"escaped plus":    mediaAnswer(strings.ReplaceAll(b64, "+", `\u002b`)),
		"in lines":        mediaAnswer(b64[:76] + `\r\n` + b64[76:]),
		"escaped key":     strings.Replace(mediaAnswer(b64), `"base64"`, `"b\u0061se64"`, 1),
		"unknown members": strings.Replace(mediaAnswer(b64), `"success"`, `"x":{"base64":"AAAA","y":["base64",{"base64":"BBBB"}]},"z":"\"base64\":","n":null,"success"`, 1),
		"without success": strings.Replace(mediaAnswer(b64), `"success":true,`, ``, 1),
	} {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with EOF": iotest.DataErrReader,
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				inst, s := script(t, scriptedReply{stream: wrap(strings.NewReader(body))})
				var w bytes.Buffer
				got, err := inst.Messages.Download(t.Context(), anID, &w)
				require.NoError(t, err)
				assert.True(t, bytes.Equal(media, w.Bytes()))
				assert.Equal(t, []asked{{"GET", "/api/chat/base64/support", "messageId=" + anID, ""}}, s.requests())
				assert.NotContains(t, string(got.Raw()), b64[:40])
				got.Meta = Meta{}
				assert.Equal(t, &Downloaded{MessageID: anID, Kind: MediaImage, MIME: "image/png", Size: int64(len(media))}, got)
			})
		}
	}
}

// Whatever is wrong with a reply is an error that counts what was written, and
// nothing is asked twice.
func TestDownloadOfABadReplyTellsWhatWasWritten(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("abc"), 40_000))
	for name, c := range map[string]struct {
		body    string
		written int64 // -1: some
		is      error
	}{
		"cut in the media":            {mediaAnswer(b64)[:100_000], -1, ErrBadResponse},
		"cut after the media":         {strings.TrimSuffix(mediaAnswer(b64), `}`), 120_000, ErrBadResponse},
		"cut before the media":        {`{"success":true,"message_id"`, 0, ErrBadResponse},
		"cut in an escape":            {`{"message_id":"` + anID + `","base64":"YWJj\u00`, -1, ErrBadResponse},
		"not base64":                  {mediaAnswer(b64[:80_000] + "!" + b64[80_000:]), -1, ErrBadResponse},
		"base64 without padding":      {mediaAnswer("YQ"), -1, ErrBadResponse},
		"base64 after its end":        {mediaAnswer("YQ==" + b64), -1, ErrBadResponse},
		"outside ASCII":               {mediaAnswer(`YWJj\u00e9`), -1, ErrBadResponse},
		"no media":                    {`{"success":true,"message_id":"` + anID + `"}`, 0, ErrBadResponse},
		"media null":                  {strings.Replace(mediaAnswer(""), `"base64":""`, `"base64":null`, 1), 0, ErrBadResponse},
		"media empty":                 {mediaAnswer(""), 0, ErrBadResponse},
		"media twice":                 {strings.TrimSuffix(mediaAnswer("YWJj"), `}`) + `,"base64":"YWJj"}`, 3, ErrBadResponse},
		"another message, said first": {strings.ReplaceAll(mediaAnswer(b64), anID, "ANOTHER"), 0, ErrBadResponse},
		"another message, said last":  {`{"base64":"YWJj","message_id":"ANOTHER"}`, 3, ErrBadResponse},
		"no message":                  {`{"base64":"YWJj"}`, 3, ErrBadResponse},
		"failure said last":           {`{"base64":"YWJj","message_id":"` + anID + `","success":false,"error":{"message":"no"}}`, 3, nil},
		"not JSON":                    {`<html>busy</html>`, 0, ErrBadResponse},
		"an array":                    {`["base64","YWJj"]`, 0, ErrBadResponse},
		"nothing":                     {``, 0, ErrBadResponse},
		"too much beside":             {`{"x":"` + strings.Repeat("x", maxMediaRest) + `"}`, 0, ErrBadResponse},
		"too deep":                    {strings.Repeat(`{"a":`, maxMediaRest), 0, ErrBadResponse},
		"rubbish behind":              {mediaAnswer("YWJj") + `{}`, 3, ErrBadResponse},
	} {
		t.Run(name, func(t *testing.T) {
			inst, s := script(t, scriptedReply{body: c.body})
			var w bytes.Buffer
			got, err := inst.Messages.Download(t.Context(), anID, &w)
			var ended *DownloadError
			require.ErrorAs(t, err, &ended)
			assert.Nil(t, got)
			assert.Equal(t, int64(w.Len()), ended.Written)
			assert.Equal(t, anID, ended.MessageID)
			assert.NotContains(t, err.Error(), b64[:20])
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			if c.written >= 0 {
				assert.Equal(t, c.written, ended.Written)
			}
			assert.Len(t, s.requests(), 1)
		})
	}
}

func TestDownloadThatTheServiceRefuses(t *testing.T) {
	for name, a := range map[string]scriptedReply{
		"no instance":        {status: 404, body: `{"success":false,"error":{"message":"Instance not found"}}`},
		"bad token":          {status: 401, body: `{"success":false,"error":{"message":"Invalid token"}}`},
		"success false":      {body: `{"success":false,"error":{"message":"no"}}`},
		"success false, too": {body: `{"success":false,"base64":"YWJj","error":{"message":"no"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			inst, s := script(t, a)
			var w bytes.Buffer
			_, err := inst.Messages.Download(t.Context(), anID, &w)
			var api *APIError
			require.ErrorAs(t, err, &api)
			var ended *DownloadError
			require.NotErrorAs(t, err, &ended)
			assert.Empty(t, w.Bytes())
			assert.Len(t, s.requests(), 1)
		})
	}
}

func TestDownloadStopsAtItsLimit(t *testing.T) {
	media := []byte("0123456789")
	body := mediaAnswer(base64.StdEncoding.EncodeToString(media))
	for limit, fits := range map[int64]bool{9: false, 10: true, 11: true} {
		inst, _ := script(t, scriptedReply{stream: strings.NewReader(body)})
		var w bytes.Buffer
		got, err := inst.Messages.Download(t.Context(), anID, &w, DownloadLimit(limit))
		if fits {
			require.NoError(t, err)
			assert.Equal(t, int64(10), got.Size)
			continue
		}
		require.ErrorIs(t, err, ErrMediaTooLarge)
		assert.LessOrEqual(t, int64(w.Len()), limit)
	}

	// A length that cannot fit is refused before the first byte.
	inst, _ := script(t, scriptedReply{body: mediaAnswer(strings.Repeat("YWJj", maxMediaRest))})
	var w bytes.Buffer
	_, err := inst.Messages.Download(t.Context(), anID, &w, DownloadLimit(10))
	require.ErrorIs(t, err, ErrMediaTooLarge)
	assert.Empty(t, w.Bytes())
}

// An encoder may put a data URI in front, break lines and use the alphabet for
// URLs. All of that is read, in pieces of any size; what is not surely the whole
// file is an error.
func TestDownloadReadsBase64OfEveryMake(t *testing.T) {
	media := bytes.Repeat([]byte("\xff\xef\xbe?>~"), 5_000)
	std, url := base64.StdEncoding.EncodeToString(media[:29_999]), base64.URLEncoding.EncodeToString(media[:29_999])
	require.True(t, strings.HasSuffix(std, "="))
	require.Contains(t, std, "+")
	require.Contains(t, url, "_")
	lines := func(s, end string) string {
		var b strings.Builder
		for ; len(s) > 76; s = s[76:] {
			b.WriteString(s[:76] + end)
		}
		return b.String() + s
	}
	noMIME := func(b64 string) string { return strings.Replace(mediaAnswer(b64), `"mime_type":"image/png",`, ``, 1) }
	for name, c := range map[string]struct{ body, mime string }{
		"data URI":                 {noMIME("data:image/jpeg;base64," + std), "image/jpeg"},
		"the reply's own type":     {mediaAnswer("data:image/jpeg;base64," + std), "image/png"},
		"escaped data URI":         {noMIME(`data:image\/jpeg;base64\u002c` + strings.ReplaceAll(std, "/", `\/`)), "image/jpeg"},
		"upper case":               {noMIME("DATA:IMAGE/JPEG;BASE64," + std), "IMAGE/JPEG"},
		"parameters":               {noMIME("data:audio/ogg; codecs=opus;name=a.ogg;base64," + std), "audio/ogg;codecs=opus;name=a.ogg"},
		"no type":                  {noMIME("data:;base64," + std), ""},
		"blanks around":            {noMIME(` \r\n data:image/jpeg;base64, \t` + std + ` \n`), "image/jpeg"},
		"lines":                    {mediaAnswer(lines(std, `\r\n`)), "image/png"},
		"indented lines":           {mediaAnswer(lines(std, `\n\t  `)), "image/png"},
		"URL alphabet":             {mediaAnswer(url), "image/png"},
		"URL alphabet, no padding": {mediaAnswer("data:image/png;base64," + strings.TrimRight(url, "=")), "image/png"},
	} {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with EOF": iotest.DataErrReader,
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				inst, _ := script(t, scriptedReply{stream: wrap(strings.NewReader(c.body))})
				var w bytes.Buffer
				got, err := inst.Messages.Download(t.Context(), anID, &w, DownloadLimit(29_999))
				require.NoError(t, err)
				assert.True(t, bytes.Equal(media[:29_999], w.Bytes()))
				assert.Equal(t, c.mime, got.MIME)
			})
		}
		inst, _ := script(t, scriptedReply{body: c.body}) // of a length that is known
		_, err := inst.Messages.Download(t.Context(), anID, io.Discard, DownloadLimit(29_999))
		require.NoError(t, err, name)
	}
	for name, b64 := range map[string]string{
		"two alphabets":            url + std,
		"no padding":               strings.TrimRight(std, "="),
		"a character too many":     strings.TrimRight(url, "=")[:len(url)-4] + "A",
		"a data URI of text":       "data:text/plain,YWJj",
		"a data URI without end":   "data:image/png;base64;" + strings.Repeat("x", maxDataPrefix) + ",YWJj",
		"a data URI of nothing":    "data:image/png;base64,",
		"a data URI in two":        "data:image/png;base64,data:image/png;base64,YWJj",
		"a data URI in the middle": "YWJjdata:image/png;base64,YWJj",
	} {
		inst, _ := script(t, scriptedReply{body: mediaAnswer(b64)})
		_, err := inst.Messages.Download(t.Context(), anID, io.Discard)
		require.ErrorIs(t, err, ErrBadResponse, name)
	}
}

type fullDisk struct{ room int }

var errDiskFull = errors.New("disk full")

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	d.room -= n
	if n < len(p) {
		return n, errDiskFull
	}
	return n, nil
}

func TestDownloadReportsTheWritersOwnError(t *testing.T) {
	inst, s := script(t, scriptedReply{body: mediaAnswer(strings.Repeat("YWJj", 50_000))})
	_, err := inst.Messages.Download(t.Context(), anID, &fullDisk{room: 70_000})
	require.ErrorIs(t, err, errDiskFull)
	require.NotErrorIs(t, err, ErrBadResponse)
	var ended *DownloadError
	require.ErrorAs(t, err, &ended)
	assert.Equal(t, int64(70_000), ended.Written)
	assert.Len(t, s.requests(), 1)

	short := writerFunc(func(p []byte) (int, error) { return len(p) - 1, nil })
	inst, _ = script(t, scriptedReply{body: mediaAnswer("YWJj")})
	_, err = inst.Messages.Download(t.Context(), anID, short)
	require.ErrorIs(t, err, io.ErrShortWrite)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

var notStored = scriptedReply{status: http.StatusNotFound, body: `{"success":false,"error":{"message":"Message not found or no media available"}}`}

// Media that are not stored yet are asked for again, for four seconds, and no
// longer than the context allows.
func TestDownloadWaitsForTheMediaToBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		inst, s := script(t, notStored, notStored, scriptedReply{body: mediaAnswer("YWJj")})
		var w bytes.Buffer
		_, err := inst.Messages.Download(t.Context(), anID, &w)
		require.NoError(t, err)
		assert.Equal(t, "abc", w.String())
		assert.Len(t, s.requests(), 3)
		assert.Equal(t, 1500*time.Millisecond, time.Since(began)) // virtual

		began = time.Now()
		inst, s = script(t, notStored, notStored, notStored, notStored, notStored)
		_, err = inst.Messages.Download(t.Context(), anID, &w)
		require.ErrorIs(t, err, ErrMessageNotFound)
		assert.Len(t, s.requests(), 5)
		assert.Equal(t, defaultDownloadWait, time.Since(began))

		inst, s = script(t, notStored)
		_, err = inst.Messages.Download(t.Context(), anID, &w, DownloadWait(0))
		require.ErrorIs(t, err, ErrMessageNotFound)
		assert.Len(t, s.requests(), 1)

		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		began = time.Now()
		inst, s = script(t, notStored, notStored)
		_, err = inst.Messages.Download(ctx, anID, &w)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, ErrMessageNotFound)
		assert.Len(t, s.requests(), 2)
		assert.Equal(t, 700*time.Millisecond, time.Since(began))
		assert.Equal(t, "abc", w.String())
	})
}

func TestDownloadArguments(t *testing.T) {
	inst, s := script(t)
	for _, opt := range []DownloadOption{DownloadLimit(0), DownloadWait(-1), DownloadTimeLimit(0)} {
		_, err := inst.Messages.Download(t.Context(), anID, io.Discard, opt)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	_, err := inst.Messages.Download(t.Context(), anID, nil)
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = inst.Messages.Download(t.Context(), "", io.Discard)
	require.ErrorIs(t, err, ErrInvalidArgument)
	assert.Empty(t, s.requests())
}

// 64 MiB pass through without the heap growing with them.
func TestDownloadNeedsConstantMemory(t *testing.T) {
	const size = 64 << 20
	cost := func(n int64) uint64 {
		quads := n / 3
		body := io.MultiReader(strings.NewReader(strings.TrimSuffix(mediaAnswer(""), `"}`)), io.LimitReader(zeroQuads{}, 4*quads), strings.NewReader(`"}`))
		inst, _ := script(t, scriptedReply{stream: body})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := inst.Messages.Download(t.Context(), anID, io.Discard)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.Equal(t, 3*quads, got.Size)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := cost(1<<20), cost(size)
	assert.Less(t, large, small+256<<10, "%d bytes allocated for 1 MiB, %d for 64 MiB", small, large)
}

// zeroQuads is base64 of zeros without an end.
type zeroQuads struct{}

var manyZeros = bytes.Repeat([]byte("A"), 64<<10)

func (zeroQuads) Read(p []byte) (int, error) {
	return copy(p, manyZeros), nil
}

func FuzzDownload(f *testing.F) {
	f.Add([]byte(mediaAnswer("YWJj")))
	f.Add([]byte(`{"base64":"YWJj\u002b","message_id":"` + anID + `"}`))
	f.Add([]byte(`[[{"base64":"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		inst, _ := script(t, scriptedReply{body: string(body)})
		var w bytes.Buffer
		got, err := inst.Messages.Download(t.Context(), anID, &w, DownloadLimit(1000))
		if (got == nil) == (err == nil) {
			t.Fatal(got, err)
		}
		if got != nil && got.Size != int64(w.Len()) {
			t.Fatal(fmt.Sprint(got.Size, w.Len()))
		}
		if w.Len() > 1000 {
			t.Fatal("more than the limit")
		}
	})
}
