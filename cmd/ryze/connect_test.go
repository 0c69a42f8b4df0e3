package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"rsc.io/qr"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// modules reads what a terminal shows back into modules, of which the dark ones
// are true.
func modules(t *testing.T, picture string, dark bool) [][]bool {
	t.Helper()
	for _, sequence := range []string{"\x1b[38;5;16m", "\x1b[48;5;231m", "\x1b[0m"} {
		picture = strings.ReplaceAll(picture, sequence, "")
	}
	var rows [][]bool
	for l := range strings.Lines(picture) {
		var top, bottom []bool
		for _, r := range strings.TrimSuffix(l, "\n") {
			drawn, ok := map[rune][2]bool{' ': {false, false}, '▀': {true, false}, '▄': {false, true}, '█': {true, true}}[r]
			require.True(t, ok, "%q", r)
			top, bottom = append(top, drawn[0] == dark), append(bottom, drawn[1] == dark)
		}
		rows = append(rows, top, bottom)
	}
	return rows
}

// assertShows holds a picture against the code of a text: every module, and a
// quiet zone of light ones around it.
func assertShows(t *testing.T, text, picture string, dark bool) {
	t.Helper()
	code, err := qr.Encode(text, qr.L)
	require.NoError(t, err)
	rows := modules(t, picture, dark)
	size := code.Size + 8
	require.GreaterOrEqual(t, len(rows), size)
	for y := range size {
		require.Len(t, rows[y], size)
		for x := range size {
			require.Equal(t, code.Black(x-4, y-4), rows[y][x], "module %d, %d", x, y)
		}
	}
}

func TestTheCodeOnTheTerminalIsTheCode(t *testing.T) {
	long := "2@" + strings.Repeat("abcDEF123+/", 20) + ",x,y,z"
	for _, text := range []string{"a", long, strings.Repeat("9", 500)} {
		code, err := newQRCode(text)
		require.NoError(t, err)
		assertShows(t, text, code.draw(true, false), true)
		assertShows(t, text, code.draw(false, false), false)
		assertShows(t, text, code.draw(false, true), true)
	}
}

// unpaired makes an instance that has never been paired.
func (s *shell) unpaired() *ryzetest.Instance { return s.srv.AddInstance("fresh") }

func TestConnectShowsTheCodeUntilItIsScanned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		fresh := s.unpaired()
		var out, err output
		done := make(chan int)
		go func() { done <- s.start(t.Context(), &out, &err, "connect", "fresh") }()
		synctest.Wait()
		assertShows(t, fresh.QRCode(), out.String(), false)
		fresh.Pair("5511900000007")
		assert.Zero(t, <-done, err.String())
		assert.Contains(t, out.String(), "Connected: fresh (5511900000007")
		assert.Contains(t, err.String(), "Scan this code")
		s.srv.Close()
	})
}

func TestConnectRenewsTheCodeInItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		s.term = terminal{out: true, width: func() int { return 200 }}
		fresh := s.unpaired()
		var out, err output
		done := make(chan int)
		go func() { done <- s.start(t.Context(), &out, &err, "connect", "fresh") }()
		time.Sleep(codeLife + 5*time.Second)
		synctest.Wait()
		first, second, found := strings.Cut(out.String(), "A\r")
		require.True(t, found, "the cursor goes up: %s", &out)
		picture, up, _ := strings.Cut(first, "\x1b["+strings.TrimLeft(first[strings.LastIndex(first, "[")+1:], "["))
		assert.Empty(t, up)
		assert.Equal(t, first[strings.LastIndex(first, "[")+1:], itoa(strings.Count(picture, "\n")), "as many lines as the code has")
		assertShows(t, fresh.QRCode(), second, true)
		fresh.Pair("5511900000007")
		assert.Zero(t, <-done)
		s.srv.Close()
	})
}

func TestACodeThatWasScannedIsNotRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		fresh := s.unpaired()
		s.srv.Fault("instance.list", ryzetest.Fault{}, ryzetest.Fault{}) // those before the code
		s.srv.Fault("instance.list", ryzetest.Fault{Times: 1000, Edit: func(reply map[string]any) {
			for _, i := range reply["instances"].([]any) {
				if i := i.(map[string]any); i["name"] == "fresh" && fresh.State() != ryzetest.StateConnected {
					i["connection"].(map[string]any)["state"] = "pair_success"
				}
			}
		}})
		time.AfterFunc(50*time.Second, func() { fresh.Pair("5511900000007") })
		r := s.run("connect", "fresh")
		assert.Zero(t, r.code, r.err)
		assert.Equal(t, 1, s.srv.Count("instance.connect"))
		s.srv.Close()
	})
}

func TestConnectSaysWhenTheTerminalIsTooNarrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		s.term = terminal{out: true, width: func() int { return 40 }}
		s.unpaired()
		r := s.run("connect", "fresh", "--wait", "1s")
		assert.Equal(t, exitFailed, r.code)
		assert.Contains(t, r.err, "The terminal has 40 columns")
		assert.Contains(t, r.err, `"fresh" is not connected after 1s`)
		s.srv.Close()
	})
}

func TestConnectByPairingCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		fresh := s.unpaired()
		var out, err output
		done := make(chan int)
		go func() { done <- s.start(t.Context(), &out, &err, "connect", "fresh", "--phone", "+55 11 90000-0008") }()
		time.Sleep(time.Minute) // it is not renewed while somebody types it
		synctest.Wait()
		require.NotEmpty(t, fresh.PairingCode())
		assert.Equal(t, "Pairing code: "+fresh.PairingCode()+"\n", out.String())
		assert.Equal(t, 1, s.srv.Count("instance.connect"))
		fresh.Pair("")
		assert.Zero(t, <-done)
		assert.Contains(t, out.String(), "Connected: fresh (5511900000008")
		s.srv.Close()
	})
}

func TestConnectAsJSONHoldsTheCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		fresh := s.unpaired()
		png := filepath.Join(s.dir, "code.png")
		var out, err output
		done := make(chan int)
		go func() { done <- s.start(t.Context(), &out, &err, "connect", "fresh", "--json", "--png", png) }()
		synctest.Wait()
		code := fresh.QRCode()
		info, stat := os.Stat(png)
		require.NoError(t, stat)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		fresh.Pair("5511900000007")
		require.Zero(t, <-done)
		lines := objects(t, out.String())
		assert.Equal(t, map[string]any{"state": "qr", "qrCode": code}, lines[0])
		assert.Equal(t, map[string]any{"state": "connected", "number": "5511900000007"}, lines[1])
		s.srv.Close()
	})
}

func TestALostConnectionComesBackWithoutACode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		s.inst.Disconnect()
		r := s.run("connect", "demo")
		assert.Zero(t, r.code, r.err)
		assert.Contains(t, r.err, "It has a session")
		assert.Zero(t, s.srv.Count("instance.connect"))
		s.srv.Close()
	})
}

func TestALoggedOutInstanceIsPairedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		s.inst.LogOutFromPhone()
		r := s.run("connect", "demo", "--wait", "5s")
		assert.Equal(t, exitFailed, r.code)
		assert.Contains(t, r.err, "Scan this code")
		s.srv.Close()
	})
}

func TestConnectIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t)
		s.unpaired()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		var out, err output
		start := time.Now()
		assert.Equal(t, exitInterrupted, s.start(ctx, &out, &err, "connect", "fresh"))
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Contains(t, err.String(), `interrupted: "fresh" is not connected`)
		s.srv.Close()
	})
}
