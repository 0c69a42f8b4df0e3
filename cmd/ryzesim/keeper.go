package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ryzeapi/ryze-go/ryzetest"
)

// How long changes wait for the file. The pause grows to ten times what the last
// write took, so that writing takes a tenth of the time at most.
const (
	shortestPause = time.Second
	longestPause  = time.Minute
)

// keeper writes the state of a server into a file, soon after it has changed.
type keeper struct {
	path  string
	save  func(io.Writer) error
	fail  func(error) // is told when a write failed; the next is tried a pause later
	dirty chan struct{}
	pause time.Duration
}

func newKeeper(path string, srv *ryzetest.Server, fail func(error)) *keeper {
	return &keeper{path: path, save: srv.Save, fail: fail, dirty: make(chan struct{}, 1), pause: shortestPause}
}

// stateFile is where a state is written. A link is followed, so that what it points
// to is replaced, not the link.
func stateFile(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
			return "", fmt.Errorf("there is no directory %s", filepath.Dir(path))
		}
		return path, nil
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file", path)
	}
	return target, nil
}

// openState opens the file of a state; it is nil when there is none yet.
func openState(path string) (*os.File, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is nothing to read
	}
	return file, err
}

// touch says that something has changed.
func (k *keeper) touch() {
	select {
	case k.dirty <- struct{}{}:
	default:
	}
}

// watch touches with each change that a server tells of.
func (k *keeper) watch(ctx context.Context, srv *ryzetest.Server) {
	for range srv.Changes(ctx) {
		k.touch()
	}
}

// run writes until the context ends.
func (k *keeper) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.dirty:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(k.pause):
		}
		select {
		case <-k.dirty: // what it tells of is in the copy that is taken now
		default:
		}
		began := time.Now()
		if err := k.write(); err != nil {
			k.fail(err)
			k.touch()
		}
		k.pause = min(max(10*time.Since(began), shortestPause), longestPause)
	}
}

// write replaces the file: at no moment is there half a file under its name.
func (k *keeper) write() (err error) {
	temporary := k.path + ".tmp"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // of a program that was killed
	}
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary))
		}
	}()
	if err := k.save(file); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Sync(); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(temporary, k.path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(k.path))
}

// syncDirectory makes a rename outlast the machine's power. Where directories cannot
// be synced, as on Windows, it does nothing.
func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return nil //nolint:nilerr // the file is there; its name may be lost with the power
	}
	_ = dir.Sync() // the same
	return dir.Close()
}
