package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// errLocked says that another program holds a lock.
var errLocked = errors.New("locked")

// lock keeps the file of a state for this program alone, until unlock is called or the
// program ends, however it does. The file itself cannot be locked: it is replaced with
// each write. A file beside it is.
func lock(state string) (unlock func(), err error) {
	path := state + ".lock"
	for {
		file, err := openLocked(path)
		if errors.Is(err, errLocked) {
			return nil, fmt.Errorf("%s is used by another ryzesim", state)
		}
		if err != nil {
			return nil, err
		}
		// Another program may have removed it between the opening and the locking.
		if there, err := os.Stat(path); err == nil {
			if held, err := file.Stat(); err == nil && os.SameFile(there, held) {
				return sync.OnceFunc(func() {
					_ = os.Remove(path) // where a file that is open can be removed
					_ = file.Close()
				}), nil
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(err, file.Close())
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
}
