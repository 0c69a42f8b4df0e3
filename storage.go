package ryze

import (
	"context"
	"fmt"
	"net/url"
)

// StorageService sets the S3 storage of an instance's media.
type StorageService service

// StorageConfig is the S3 storage that an instance should have. The bucket must
// exist.
type StorageConfig struct {
	Region     string
	Bucket     string
	AccessKey  string
	SecretKey  Secret
	Endpoint   string // URL of an S3-compatible store; empty for AWS
	PathPrefix string // such as "media/support-line/"
}

// Storage is the S3 storage that the service has for an instance. SecretKey is
// always empty: fill it in before [StorageService.Set].
type Storage struct {
	Meta `json:"-"`
	StorageConfig

	Enabled bool // false: there is none
}

// Format implements [fmt.Formatter] without secrets.
func (c StorageConfig) Format(f fmt.State, verb rune) {
	type plain StorageConfig
	formatPlain(f, verb, plain(c))
}

// Format implements [fmt.Formatter] without secrets.
func (s Storage) Format(f fmt.State, verb rune) {
	type plain struct { // not embedded: its Format would print for all
		Meta          Meta
		StorageConfig StorageConfig
		Enabled       bool
	}
	formatPlain(f, verb, plain{s.Meta, s.StorageConfig, s.Enabled})
}

func (c *StorageConfig) check() error {
	switch {
	case c.Bucket == "":
		return invalid("Storage.Bucket", "is empty")
	case c.AccessKey == "":
		return invalid("Storage.AccessKey", "is empty")
	case c.SecretKey == "":
		return invalid("Storage.SecretKey", "is empty")
	case c.Endpoint != "":
		if u, err := url.Parse(c.Endpoint); err != nil || u.Scheme == "" || !hasHost(u) {
			return invalid("Storage.Endpoint", "is not a full URL")
		}
	}
	return checkTexts("Storage", c)
}

type storageBody struct {
	Enabled    bool    `json:"enabled"`
	Region     string  `json:"region,omitempty"`
	Bucket     string  `json:"bucket,omitempty"`
	AccessKey  string  `json:"accessKey,omitempty"`
	SecretKey  string  `json:"secretKey,omitempty"`
	Endpoint   *string `json:"endpoint,omitempty"`
	PathPrefix *string `json:"pathPrefix,omitempty"`
}

type storageReply struct {
	envelope
	S3 object[struct {
		Enabled    wireBool `json:"enabled"`
		Region     string   `json:"region"`
		Bucket     string   `json:"bucket"`
		AccessKey  string   `json:"accessKey"`
		Endpoint   string   `json:"endpoint"`
		PathPrefix string   `json:"pathPrefix"`
	}] `json:"s3"`
}

func (r *storageReply) missing() string {
	if r.S3.value == nil {
		return "the reply has no s3"
	}
	return ""
}

func storage(r *storageReply, err error) (*Storage, error) {
	if err != nil {
		return nil, err
	}
	c := r.S3.value
	return &Storage{Meta: r.Meta, Enabled: c.Enabled.on, StorageConfig: StorageConfig{
		Region: c.Region, Bucket: c.Bucket, AccessKey: c.AccessKey, Endpoint: c.Endpoint, PathPrefix: c.PathPrefix,
	}}, nil
}

// Get returns the storage, without the secret key. Enabled is false when there
// is none.
//
// GET /api/instance/getS3/:instance. Safe to repeat.
func (s *StorageService) Get(ctx context.Context) (*Storage, error) {
	return storage(fetchChecked(ctx, s.h, opStorageGet, input{}, (*storageReply).missing))
}

// Set replaces the whole configuration and returns the stored one. Give every
// field each time.
//
// POST /api/instance/s3/:instance. Safe to repeat.
func (s *StorageService) Set(ctx context.Context, config StorageConfig) (*Storage, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	body := storageBody{
		Enabled: true, Region: config.Region, Bucket: config.Bucket,
		AccessKey: config.AccessKey, SecretKey: config.SecretKey.Reveal(),
		Endpoint: &config.Endpoint, PathPrefix: &config.PathPrefix,
	}
	in := input{body: body, secrets: []Secret{Secret(config.AccessKey), config.SecretKey}}
	return storage(fetchChecked(ctx, s.h, opStorageUpdate, in, (*storageReply).missing))
}

// Disable turns the storage off and deletes the stored credentials.
//
// POST /api/instance/s3/:instance. Safe to repeat.
func (s *StorageService) Disable(ctx context.Context) error {
	return run(ctx, s.h, opStorageUpdate, input{body: storageBody{}})
}

// storageBlock is the storage in the creation of an instance.
type storageBlock struct {
	Enabled    bool   `json:"s3Enabled"`
	Region     string `json:"s3Region,omitempty"`
	Bucket     string `json:"s3Bucket,omitempty"`
	AccessKey  string `json:"s3AccessKey,omitempty"`
	SecretKey  string `json:"s3SecretKey,omitempty"`
	Endpoint   string `json:"s3Endpoint,omitempty"`
	PathPrefix string `json:"s3PathPrefix,omitempty"`
}

// block returns what travels at the creation of an instance; nil is none.
func (c *StorageConfig) block() (*storageBlock, error) {
	if c == nil {
		return nil, nil
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return &storageBlock{true, c.Region, c.Bucket, c.AccessKey, c.SecretKey.Reveal(), c.Endpoint, c.PathPrefix}, nil
}
