package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/gofrs/flock"

	ryze "github.com/ryzeapi/ryze-go"
)

// journal remembers on disk what became of each recipient: a line of JSON for
// each change, written through before the program goes on. Nothing in it is
// ever changed, so a crash costs at most the line that was being written.
type journal struct {
	file *os.File
	lock *flock.Flock

	mu     sync.Mutex
	states map[ryze.JID]entry
}

// entry is a line of the journal.
type entry struct {
	At     time.Time `json:"at"` // when the send began
	To     ryze.JID  `json:"to"`
	State  state     `json:"state"`
	ID     string    `json:"id,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

type state string

const (
	sending state = "sending" // begun; in a journal that is read, a crash
	sent    state = "sent"
	failed  state = "failed"  // refused for this recipient
	unsent  state = "unsent"  // certainly not sent, to be tried again
	unknown state = "unknown" // may have been sent
	missing state = "missing" // unknown, looked for and not found
)

// open reports whether the recipient is still to be written to.
func (e entry) open() bool { return e.State == "" || e.State == unsent }

// header is the first line: a journal belongs to one text of one instance.
type header struct {
	Instance string `json:"instance"`
	Text     string `json:"text_sha256"`
}

func openJournal(path, instance, text string) (_ *journal, err error) {
	// Two runs at the same time would both send.
	lock := flock.New(path + ".lock")
	if locked, err := lock.TryLock(); err != nil || !locked {
		return nil, errors.Join(fmt.Errorf("%s: another run is using it", path), err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	j := &journal{file: file, lock: lock, states: map[ryze.JID]entry{}}
	sum := sha256.Sum256([]byte(text))
	if err := j.read(header{instance, hex.EncodeToString(sum[:])}); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), j.close())
	}
	return j, nil
}

func (j *journal) read(want header) error {
	lines := bufio.NewReader(j.file)
	var whole int64 // bytes of the lines that are complete
	for n := 0; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil { // what is left is a line that a crash has cut, or nothing
			if err := j.file.Truncate(whole); err != nil {
				return err
			}
			if n == 0 {
				return j.append(want)
			}
			return nil
		}
		whole += int64(len(line))
		if n == 0 {
			if err := check(line, want); err != nil {
				return err
			}
			continue
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("line %d: %w", n+1, err)
		}
		j.states[e.To] = e
	}
}

func check(line []byte, want header) error {
	var got header
	if err := json.Unmarshal(bytes.TrimSpace(line), &got); err != nil || got != want {
		return errors.Join(errors.New("it is the journal of another text or instance"), err)
	}
	return nil
}

// write returns when the entry is safe on disk.
func (j *journal) write(e entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.append(e); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.states[e.To] = e
	return nil
}

func (j *journal) append(line any) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(b, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

func (j *journal) state(to ryze.JID) entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.states[to]
	e.To = to
	return e
}

func (j *journal) close() error { return errors.Join(j.file.Close(), j.lock.Unlock()) }
