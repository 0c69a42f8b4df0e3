package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

func TestStateSurvivesARestartAndAKill(t *testing.T) {
	for _, how := range []string{"restart", "kill"} {
		t.Run(how, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "state.json")
			photo := filepath.Join(dir, "photo.png")
			require.NoError(t, os.WriteFile(photo, picture(door), 0o600))
			in, keyboard := io.Pipe()
			out, base, token, stop := launch(t, in, "-state", file, "-instance", "a,b", "-console")
			require.Equal(t, 201, post(t, base+"/api/instance/new", token, `{"name":"c","token":"mine","webhookEnabled":true,"webhookURL":"http://127.0.0.1:1/"}`))
			require.Equal(t, 200, post(t, base+"/api/message/text/a", token, `{"number":"5511987654321","message":"hello from a"}`))
			require.Equal(t, 200, post(t, base+"/api/instance/settings/a", token, `{"ignoreGroupMessages":true}`))
			for _, line := range []string{
				`contact 5511987654321 -lid 77 Ana Lima`, `unreachable 15550000000`, `group "The team" b 5511987654321`,
				`media b 5511987654321 ` + photo + ` look`, `history c 48h 5511987654321 what was`, `disconnect b`, `receive b 5511987654321 while you were away`, `advance 48h`,
			} {
				_, err := io.WriteString(keyboard, line+"\n")
				require.NoError(t, err)
			}
			out.waitFor(t, "it is ")
			if how == "restart" {
				require.NoError(t, stop())
			} else {
				// What is in the file a while later is what a killed program leaves.
				require.Eventually(t, func() bool {
					text, err := os.ReadFile(file)
					return err == nil && strings.Contains(string(text), "172800000000000")
				}, 30*time.Second, 10*time.Millisecond)
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				require.NoError(t, stop())
				require.NoError(t, os.WriteFile(file, text, 0o600))
			}
			require.NoError(t, keyboard.Close())
			info, err := os.Stat(file)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

			in, keyboard = io.Pipe()
			defer func() { assert.NoError(t, keyboard.Close()) }()
			out, base, again, _ := launch(t, in, "-state", file, "-instance", "a,b", "-console")
			assert.Equal(t, token, again)
			for _, c := range [][2]string{
				{"instances", "b is disconnected with the number"}, {"messages a", `to 5511987654321@s.whatsapp.net text "hello from a"`},
				{"messages b", `image "look" file="photo.png"`}, {"chats a", `"Ana Lima"`}, {"members 120363400000000001", "The team"},
				{"reconnect b", "b is connected"}, {"history c 47h 5511987654321 and then", "c holds 2 old messages"}, {"pair c", "c is connected"},
			} {
				_, err := io.WriteString(keyboard, c[0]+"\n")
				require.NoError(t, err)
				out.waitFor(t, c[1])
			}
			_, err = io.WriteString(keyboard, "messages b\n")
			require.NoError(t, err)
			out.waitFor(t, "while you were away")
			assert.Equal(t, 200, post(t, base+"/api/message/text/c", "mine", `{"number":"5511987654321","message":"x"}`))
			assert.Equal(t, 400, post(t, base+"/api/message/text/a", token, `{"number":"15550000000","message":"x"}`))
			_, err = io.WriteString(keyboard, "advance 1s\n")
			require.NoError(t, err)
			out.waitFor(t, "it is "+time.Now().Add(48*time.Hour).Format(time.DateOnly))
			assert.NotContains(t, out.after("# Ctrl-C"), "wrong arguments")
		})
	}
}

func TestStateThatCannotBeReadStaysAsItIs(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"": "cut off", "hello": "cannot be read", `{"format": "ryzetest state", "version": 99, "new": 1}`: "use a newer program",
		`{"format": "ryzetest state", "version": 1, "server": {`: "cut off",
	} {
		file := filepath.Join(dir, "state.json")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-state", file}, nil, io.Discard, io.Discard)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "is left as it is")
		after, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, text, string(after))
	}
	require.ErrorContains(t, run(t.Context(), []string{"-addr", "127.0.0.1:0", "-state", dir}, nil, io.Discard, io.Discard), "no regular file")
	none := filepath.Join(dir, "none")
	err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-state", filepath.Join(none, "x.json")}, nil, io.Discard, io.Discard)
	require.EqualError(t, err, "-state: there is no directory "+none)
}

func TestOneStateIsForOneProgram(t *testing.T) {
	file, link := filepath.Join(t.TempDir(), "state.json"), filepath.Join(t.TempDir(), "link.json")
	_, _, _, stop := launch(t, nil, "-state", file, "-instance", "a")
	require.NoError(t, os.Symlink(file, link))
	for _, same := range []string{file, link} {
		err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-state", same, "-instance", "b"}, nil, io.Discard, io.Discard)
		require.EqualError(t, err, "-state: "+file+" is used by another ryzesim")
	}
	require.NoError(t, stop())
	assert.NoFileExists(t, file+".lock")

	// One that was killed leaves its file, and no lock.
	require.NoError(t, os.WriteFile(file+".lock", nil, 0o600))
	_, _, _, stop = launch(t, nil, "-state", file)
	require.NoError(t, stop())

	// One that does not start gives it back.
	require.Error(t, run(t.Context(), []string{"-addr", "256.0.0.1:0", "-state", file}, nil, io.Discard, io.Discard))
	_, _, _, stop = launch(t, nil, "-state", file)
	require.NoError(t, stop())
}

func TestStateFollowsALinkAndClearsWhatAKillLeft(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "real.json"), filepath.Join(dir, "link.json")
	_, _, _, stop := launch(t, nil, "-state", target, "-instance", "a")
	require.NoError(t, stop())
	require.NoError(t, os.Symlink(target, link))
	require.NoError(t, os.WriteFile(target+".tmp", []byte("half"), 0o644))
	out, _, _, stop := launch(t, nil, "-state", link, "-instance", "b")
	require.NoError(t, stop())
	assert.Equal(t, map[string]string{"a": fixedInstanceToken("a"), "b": fixedInstanceToken("b")}, tokensIn(out), "those of the state are told too")
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeSymlink)
	text, err := os.ReadFile(target)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"Name":"a"`)
	assert.Contains(t, string(text), `"Name":"b"`)
	assert.NoFileExists(t, target+".tmp")
}

// keep runs k until the test is over: it has written its last before the folder
// of the test is removed.
func keep(t *testing.T, k *keeper) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

func TestChangesAreWrittenTogetherASecondLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, err := ryzetest.Start(ryzetest.InMemory())
		require.NoError(t, err)
		defer srv.Close()
		i := srv.AddInstance("a")
		i.Pair("")
		k := newKeeper(filepath.Join(t.TempDir(), "x"), srv, func(err error) { assert.NoError(t, err) })
		var writes atomic.Int32
		k.save = func(w io.Writer) error { writes.Add(1); return srv.Save(w) }
		go k.watch(t.Context(), srv)
		keep(t, k)
		synctest.Wait()
		for range 1000 {
			i.Receive(ryzetest.Incoming{From: "5511987654321", Text: "x"})
		}
		time.Sleep(shortestPause - time.Millisecond)
		synctest.Wait()
		assert.Zero(t, writes.Load())
		time.Sleep(time.Millisecond)
		synctest.Wait()
		assert.EqualValues(t, 1, writes.Load())
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.EqualValues(t, 1, writes.Load(), "nothing has changed")
		srv.AddContact(ryzetest.Contact{Phone: "1"})
		time.Sleep(shortestPause)
		synctest.Wait()
		assert.EqualValues(t, 2, writes.Load(), "contacts are no messages, and count too")
	})
}

func TestALargeStateIsWrittenLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{path: filepath.Join(t.TempDir(), "x"), dirty: make(chan struct{}, 1), pause: shortestPause, fail: func(error) {}}
		var writes atomic.Int32
		took := 2 * time.Second
		k.save = func(io.Writer) error {
			if time.Sleep(took); writes.Add(1) > 1 {
				time.Sleep(time.Hour)
			}
			return nil
		}
		keep(t, k)
		k.touch()
		time.Sleep(shortestPause + took)
		synctest.Wait()
		k.touch()
		time.Sleep(10*took - time.Millisecond)
		synctest.Wait()
		assert.EqualValues(t, 1, writes.Load())
		time.Sleep(time.Millisecond + took + time.Hour)
		synctest.Wait()
		k.touch()
		time.Sleep(longestPause + took)
		synctest.Wait()
		assert.EqualValues(t, 3, writes.Load(), "a minute is the most")
		time.Sleep(time.Hour)
	})
}

func TestAWriteThatFailsIsToldAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var told atomic.Int32
		k := &keeper{path: filepath.Join(dir, "x"), dirty: make(chan struct{}, 1), pause: shortestPause}
		k.fail = func(err error) { assert.ErrorIs(t, err, assert.AnError); told.Add(1) }
		var broken atomic.Bool
		broken.Store(true)
		k.save = func(w io.Writer) error {
			if broken.Load() {
				return assert.AnError
			}
			_, err := io.WriteString(w, "whole")
			return err
		}
		require.NoError(t, os.WriteFile(k.path, []byte("before"), 0o600))
		keep(t, k)
		k.touch()
		time.Sleep(3 * shortestPause)
		synctest.Wait()
		assert.GreaterOrEqual(t, told.Load(), int32(2))
		text, err := os.ReadFile(k.path)
		require.NoError(t, err)
		assert.Equal(t, "before", string(text))
		_, err = os.Stat(k.path + ".tmp")
		require.ErrorIs(t, err, os.ErrNotExist)
		broken.Store(false)
		time.Sleep(2 * shortestPause)
		synctest.Wait()
		text, err = os.ReadFile(k.path)
		require.NoError(t, err)
		assert.Equal(t, "whole", string(text))
	})
}
