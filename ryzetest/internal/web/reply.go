package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Error is a refusal, as the API answers it.
type Error struct {
	Status  int    `json:"-"`
	Message string `json:"message"`
	// Field names the member or parameter that is wrong, as "media.kind".
	Field string `json:"field,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// Invalid is a 400 about a member or a parameter.
func Invalid(field, format string, args ...any) *Error {
	return &Error{http.StatusBadRequest, fmt.Sprintf(format, args...), field}
}

// Forbidden is a 403.
func Forbidden(format string, args ...any) *Error {
	return &Error{http.StatusForbidden, fmt.Sprintf(format, args...), ""}
}

// NotFound is a 404.
func NotFound(format string, args ...any) *Error {
	return &Error{http.StatusNotFound, fmt.Sprintf(format, args...), ""}
}

// Conflict is a 409: the request is right, and the state of things is against it.
func Conflict(format string, args ...any) *Error {
	return &Error{http.StatusConflict, fmt.Sprintf(format, args...), ""}
}

// Fail answers with an error.
func Fail(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Status: http.StatusInternalServerError, Message: err.Error()}
	}
	Answer(w, e.Status, map[string]*Error{"error": e})
}

// Answer writes a reply as JSON.
func Answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic("web: " + err.Error()) // only values of our own get here
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // the reader may be gone
}
