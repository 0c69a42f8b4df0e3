package ryze

import (
	"errors"
	"os"
)

// The environment variables that [FromEnv], [AccountFromEnv] and
// [InstanceFromEnv] read. The command ryzesim prints the lines that set them.
const (
	envBaseURL       = "RYZE_BASE_URL"
	envAccountToken  = "RYZE_ACCOUNT_TOKEN"  //nolint:gosec // the name of a variable
	envInstance      = "RYZE_INSTANCE"       // the name of the instance
	envInstanceToken = "RYZE_INSTANCE_TOKEN" //nolint:gosec // the name of a variable
)

// FromEnv is [New] with the base URL in RYZE_BASE_URL, or [DefaultBaseURL].
// Options win over the variable. A bad value is a [*ValidationError].
//
// Only FromEnv, [AccountFromEnv] and [InstanceFromEnv] read these variables.
func FromEnv(opts ...Option) (*Client, error) {
	base := os.Getenv(envBaseURL)
	if base == "" {
		return New(opts...)
	}
	return New(append([]Option{baseURLFrom(envBaseURL, base)}, opts...)...)
}

// AccountFromEnv is [NewAccountClient] with the token in RYZE_ACCOUNT_TOKEN, on
// a client of [FromEnv]. A bad variable is a [*ValidationError].
func AccountFromEnv(opts ...Option) (*AccountClient, error) {
	token, err := fromEnv(envAccountToken, checkToken)
	if err != nil {
		return nil, err
	}
	c, err := FromEnv(opts...)
	if err != nil {
		return nil, err
	}
	return c.Account(token), nil
}

// InstanceFromEnv is [NewInstanceClient] with RYZE_INSTANCE and
// RYZE_INSTANCE_TOKEN, on a client of [FromEnv]. A bad variable is a
// [*ValidationError].
func InstanceFromEnv(opts ...Option) (*InstanceClient, error) {
	name, err := fromEnv(envInstance, checkInstanceName)
	if err != nil {
		return nil, err
	}
	token, err := fromEnv(envInstanceToken, checkToken)
	if err != nil {
		return nil, err
	}
	c, err := FromEnv(opts...)
	if err != nil {
		return nil, err
	}
	return c.Instance(name, token), nil
}

// fromEnv reads a variable that has to be there.
func fromEnv(variable string, check func(string) error) (string, error) {
	value := os.Getenv(variable)
	if value == "" {
		return "", invalid(variable, "is not set in the environment")
	}
	return value, aboutVariable(variable, check(value))
}

// baseURLFrom is WithBaseURL whose errors are about a variable.
func baseURLFrom(variable, base string) Option {
	opt := WithBaseURL(base)
	return clientOption(func(c *config) error { return aboutVariable(variable, opt.applyToClient(c)) })
}

// aboutVariable makes the error of an argument that of the variable it came from.
func aboutVariable(variable string, err error) error {
	var bad *ValidationError
	if errors.As(err, &bad) {
		return invalid(variable, bad.Reason)
	}
	return err
}
