package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/examples/internal/demo"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// In virtual time and in memory; a goroutine left behind fails the test.
func TestMediaArrivesWholeInBothDirections(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		service, err := demo.Simulate(config(ryzetest.InMemory()))
		require.NoError(t, err)
		defer func() { require.NoError(t, service.Close()) }()

		var out strings.Builder
		require.NoError(t, run(t.Context(), service, settings{to: ana, dir: dir, rows: 50_000}, &out))
		assert.Contains(t, out.String(), `Ana sends image "../../.ssh/my view.png".`)
		assert.Contains(t, out.String(), "Saved: image, image/png, 1678 bytes")
		assert.NotContains(t, out.String(), service.Phone.Token())

		picture, err := files.ReadFile("files/view.png")
		require.NoError(t, err)
		note, err := files.ReadFile("files/note.ogg")
		require.NoError(t, err)
		whole, err := io.ReadAll(export(50_000))
		require.NoError(t, err)
		exported := sha256.Sum256(whole)
		assert.Contains(t, out.String(), fmt.Sprintf("The export's SHA-256 is %x.", exported))

		sent := service.Phone.Sent()
		require.Len(t, sent, 4)
		for i, want := range []struct {
			kind, mime string
			sum        [32]byte
		}{
			{"document", "text/csv", sha256.Sum256([]byte("pizza,30\nsalad,18\n"))},
			{"image", "image/png", sha256.Sum256(picture)},
			{"audio", "audio/ogg", sha256.Sum256(note)},
			{"document", "text/csv", exported},
		} {
			assert.Equal(t, want.kind, sent[i].Media.Kind)
			assert.Contains(t, sent[i].Media.MIME, want.mime)
			assert.Equal(t, fmt.Sprintf("%x", want.sum), sent[i].Media.SHA256)
		}
		assert.True(t, sent[2].Media.Voice)

		saved, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, saved, 1)
		assert.True(t, strings.HasSuffix(saved[0].Name(), "-ssh_my_view.png"), saved[0].Name())
		b, err := os.ReadFile(filepath.Join(dir, saved[0].Name()))
		require.NoError(t, err)
		assert.Equal(t, picture, b)
		assert.Empty(t, service.Simulator.Violations())
	})
}

func TestMediaLeavesNothingBehindWhenTheDownloadFails(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		service, err := demo.Simulate(config(ryzetest.InMemory()))
		require.NoError(t, err)
		defer func() { require.NoError(t, service.Close()) }()
		service.Simulator.Fault("GET /api/chat/base64/:instance", ryzetest.Fault{Times: 100, Drop: ryzetest.HalfReply})

		require.Error(t, run(t.Context(), service, settings{to: ana, dir: dir, rows: 10}, io.Discard))
		saved, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, saved)
	})
}

func TestNamesOfSendersAreHarmless(t *testing.T) {
	for name, want := range map[string]string{
		"":                                "file",
		"..":                              "file",
		"photo.jpg":                       "photo.jpg",
		"../../etc/passwd":                "etc_passwd",
		`..\..\autoexec.bat`:              "autoexec.bat",
		"a\x00b\nc":                       "a_b_c",
		"~/-rf *; $(x)":                   "rf______x_",
		"férias.png":                      "f_rias.png",
		strings.Repeat("x", 200) + ".png": strings.Repeat("x", 76) + ".png",
	} {
		assert.Equal(t, want, safeName(name))
	}
}
