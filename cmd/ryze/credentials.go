package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// credentials are the tokens that the file holds. They stand under the service
// that they belong to, and are never sent to another.
type credentials struct {
	Services map[string]*tokens `json:"services"`
}

type tokens struct {
	Account   string            `json:"account,omitempty"`
	Instances map[string]string `json:"instances,omitempty"`
}

// of returns the tokens of a service, empty ones when there are none.
func (c *credentials) of(base string) *tokens {
	if t := c.Services[serviceKey(base)]; t != nil {
		return t
	}
	return &tokens{}
}

// serviceKey writes a base URL in one way.
func serviceKey(base string) string {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil {
		return base
	}
	host := strings.ToLower(u.Host)
	switch strings.ToLower(u.Scheme) {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return strings.ToLower(u.Scheme) + "://" + host
}

// credentialsPath is where the file is, whether it exists or not.
func (a *app) credentialsPath() (string, error) {
	dir, err := a.env.configDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "ryze", "credentials"), nil
}

// credentials reads the file. One that does not exist is empty.
func (a *app) credentials() (*credentials, error) {
	path, err := a.credentialsPath()
	if err != nil { // no home: no file
		return &credentials{}, nil //nolint:nilerr // the environment may have all that is needed
	}
	c, err := readCredentials(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &credentials{}, nil
	}
	return c, err
}

// errReadable says that others can read or write the file.
var errReadable = errors.New("others may read or write it, so it is not used")

func readCredentials(path string) (*credentials, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("credentials %s: not a regular file", path)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, &hinted{
			fmt.Errorf("credentials %s: mode %#o: %w", path, info.Mode().Perm(), errReadable),
			"chmod 600 " + path + "; if others had access, make new tokens",
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var c credentials
	if err := dec.Decode(&c); err != nil {
		// The text of the error could quote a token.
		return nil, &hinted{fmt.Errorf("credentials %s: not in the form that ryze login writes", path), "remove it, and run ryze login again"}
	}
	return &c, nil
}

// writeCredentials replaces the file in one step; only its owner can read it.
func writeCredentials(path string, c *credentials) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".credentials-*") // its mode is 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
