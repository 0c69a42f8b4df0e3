package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"sync"

	ryze "github.com/ryzeapi/ryze-go"
)

// Row is what is kept of a customer. Printed, it shows no token.
type Row struct {
	ID                   string
	Password             []byte // its hash
	Token, Authorization ryze.Secret
	Ready                bool // the instance is there
}

func (r Row) instance() string { return "tenant-" + r.ID }

// hash is for passwords that were made at random. One that people choose needs a slow one.
func hash(password string) []byte {
	sum := sha256.Sum256([]byte(password))
	return sum[:]
}

func same(hashed []byte, password string) bool {
	return subtle.ConstantTimeCompare(hashed, hash(password)) == 1
}

// store is a file. Whoever reads it reads no token: each is sealed with AES-256-GCM,
// the key of which is elsewhere, and for its customer: a seal that is copied to
// another customer does not open.
type store struct {
	path string
	seal cipher.AEAD

	mu   sync.Mutex
	rows map[string]stored
}

// stored is a row as it is written. A Secret would be written as "[redacted]".
type stored struct {
	Hash                 []byte // of the password
	Token, Authorization []byte // sealed
	Ready                bool
}

var (
	errTaken  = errors.New("there is such a customer")
	errUndone = errors.New("undone")
	idRule    = regexp.MustCompile(`^[a-z0-9-]{3,32}$`)
)

func openStore(path string, key []byte) (*store, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	s := &store{path: path, seal: seal, rows: map[string]stored{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &s.rows)
	}
	return s, err
}

// all opens the seals.
func (s *store) all() ([]Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows []Row
	for id, kept := range s.rows {
		token, err := s.seal.Open(nil, nil, kept.Token, []byte("token of "+id))
		if err != nil {
			return nil, fmt.Errorf("the token of %s: %w", id, err)
		}
		authorization, err := s.seal.Open(nil, nil, kept.Authorization, []byte("authorization of "+id))
		if err != nil {
			return nil, fmt.Errorf("the authorization of %s: %w", id, err)
		}
		rows = append(rows, Row{
			ID: id, Password: kept.Hash, Token: ryze.Secret(token), Authorization: ryze.Secret(authorization), Ready: kept.Ready,
		})
	}
	return rows, nil
}

// add is put for a customer who is new.
func (s *store) add(row Row) error {
	if !idRule.MatchString(row.ID) || row.ID == "operator" {
		return &ryze.ValidationError{Field: "id", Reason: "has to be of 3 to 32 small letters, digits and hyphens"}
	}
	return s.change(func() error {
		if _, taken := s.rows[row.ID]; taken {
			return errTaken
		}
		s.rows[row.ID] = s.sealed(row)
		return nil
	})
}

func (s *store) put(row Row) error {
	return s.change(func() error { s.rows[row.ID] = s.sealed(row); return nil })
}

func (s *store) remove(id string) error {
	return s.change(func() error { delete(s.rows, id); return nil })
}

func (s *store) sealed(row Row) stored {
	return stored{
		Hash:          row.Password,
		Token:         s.seal.Seal(nil, nil, []byte(row.Token.Reveal()), []byte("token of "+row.ID)),                 //nolint:gosec // the nonce is made inside
		Authorization: s.seal.Seal(nil, nil, []byte(row.Authorization.Reveal()), []byte("authorization of "+row.ID)), //nolint:gosec // as above
		Ready:         row.Ready,
	}
}

// change writes a new file in the place of the old one.
func (s *store) change(what func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := what(); err != nil {
		return err
	}
	data, err := json.MarshalIndent(s.rows, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(s.path+".new", s.path)
}
