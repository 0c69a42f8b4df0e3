package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	ryze "github.com/ryzeapi/ryze-go"
)

// readFiles reads lists of numbers, the standard input when none is named.
func readFiles(names []string) ([]ryze.JID, error) {
	if len(names) == 0 {
		return readRecipients(os.Stdin)
	}
	var files []io.Reader
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		files = append(files, file)
	}
	var all []ryze.JID
	for i, file := range files {
		list, err := readRecipients(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", names[i], err)
		}
		all = append(all, list...)
	}
	return distinct(all), nil
}

// readRecipients takes the first column of a CSV. A first line without a number
// is a heading; any other is an error, before anything was sent.
func readRecipients(r io.Reader) ([]ryze.JID, error) {
	table := csv.NewReader(r)
	table.FieldsPerRecord, table.Comment, table.LazyQuotes = -1, '#', true
	var list []ryze.JID
	var wrong error
	for first := true; ; first = false {
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			return distinct(list), wrong
		}
		if err != nil {
			return nil, err
		}
		to, err := ryze.PhoneJID(row[0])
		switch {
		case err == nil:
			list = append(list, to)
		case !first:
			line, _ := table.FieldPos(0)
			wrong = errors.Join(wrong, fmt.Errorf("line %d: %w", line, err))
		}
	}
}

// distinct leaves out who is there twice, be it with and without the ninth
// digit of Brazilian mobile numbers.
func distinct(list []ryze.JID) []ryze.JID {
	seen := map[ryze.JID]bool{}
	return slices.DeleteFunc(list, func(to ryze.JID) bool {
		person := slices.Min(ryze.BrazilAliases(to))
		if seen[person] {
			return true
		}
		seen[person] = true
		return false
	})
}
