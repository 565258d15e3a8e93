// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package caddyauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parseCredentials reads a credentials file. Errors say line and column, and
// quote nothing but user names.
func parseCredentials(text string) (*accounts, error) {
	if plain := parsePlain(text); plain != nil {
		return plain, nil
	}
	entries, err := decodeEntries(text)
	if err != nil {
		return nil, err
	}
	return newAccounts(entries)
}

// credentialsParser reads a credentials file, which may be empty only where
// there is another way to sign in.
func credentialsParser(mayBeEmpty bool) func(string) (*accounts, error) {
	return func(text string) (*accounts, error) {
		accounts, err := parseCredentials(text)
		if err == nil && !mayBeEmpty && accounts.isEmpty() {
			return nil, errors.New("it has no accounts, and there is no other way to sign in")
		}
		return accounts, err
	}
}

// decodeEntries decodes by tokens, because encoding/json lets the last of two
// equal keys win silently.
func decodeEntries(text string) (map[string]account, error) {
	data := []byte(strings.TrimPrefix(text, "\xef\xbb\xbf")) // editors on Windows write a byte order mark
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	at := func(err error) error {
		where := placeOf(data, dec.InputOffset(), err)
		if isSyntaxError(err) {
			return fmt.Errorf("%s: malformed JSON%s", position(data, where), whyMalformed(data, where))
		}
		return fmt.Errorf("%s: %w", position(data, where), plainJSONError(err))
	}

	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, at(errors.Join(err, errNoObject))
	}
	entries := make(map[string]account)
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, at(err)
		}
		name := key.(string) // keys of an object are strings, says Token
		if _, twice := entries[name]; twice {
			return nil, at(fmt.Errorf("user %q is there twice", name))
		}
		entry, err := decodeEntry(dec)
		if err != nil {
			return nil, at(fmt.Errorf("user %q: %w", name, err))
		}
		entries[name] = entry
	}
	if _, err := dec.Token(); err != nil {
		return nil, at(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, at(errors.New("there is something after the end of the object"))
	}
	return entries, nil
}

var (
	errNoObject = errors.New(`a credentials file is one JSON object, {"user": "password", …}`)
	errNoEntry  = errors.New(`the value must be a password or an object {"password": …}`)
)

// decodeEntry reads a password, or an object with a password in it.
func decodeEntry(dec *json.Decoder) (account, error) {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return account{}, err
	}
	var entry account
	if raw[0] == '"' {
		return entry, json.Unmarshal(raw, &entry.Password)
	}
	if raw[0] != '{' {
		return entry, errNoEntry
	}
	if key := repeatedKey(raw); key != "" {
		return entry, fmt.Errorf("%q is there twice", key)
	}
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&entry); err != nil {
		return entry, plainEntryError(err)
	}
	return entry, nil
}

// repeatedKey is a key that an object has twice, or "".
func repeatedKey(object json.RawMessage) string {
	dec := json.NewDecoder(bytes.NewReader(object))
	_, _ = dec.Token() // the brace
	seen := make(map[string]bool)
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return "" // the strict decoder says what is wrong
		}
		name := strings.ToLower(key.(string)) // encoding/json takes fields in any case
		if seen[name] {
			return name
		}
		seen[name] = true
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return ""
		}
	}
	return ""
}

// plainEntryError is plainJSONError for an entry's fields, which may have been
// mixed up with their values.
func plainEntryError(err error) error {
	if strings.HasPrefix(err.Error(), "json: unknown field") {
		return errors.New("it has a field that is not password, name, email, groups or api_keys")
	}
	return plainJSONError(err)
}

// plainJSONError keeps the values that encoding/json quotes out of messages:
// they may be passwords.
func plainJSONError(err error) error {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fmt.Errorf("%q must be %s", wrongType.Field, wrongType.Type)
	}
	if isSyntaxError(err) {
		return errors.New("malformed JSON")
	}
	return err
}

// placeOf is how much of the file had been read when an error was met. A
// decoder that reads by tokens notices malformed JSON late, so its place is
// looked up again.
func placeOf(data []byte, offset int64, err error) int64 {
	if isSyntaxError(err) {
		var syntax *json.SyntaxError
		if errors.As(json.Unmarshal(data, new(json.RawMessage)), &syntax) {
			offset = syntax.Offset
		}
	}
	return min(offset, int64(len(data)))
}

// whyMalformed guesses what people mistook, ready to be put after an error, by
// the signs around the place and never by more of the file, which may be
// passwords.
func whyMalformed(data []byte, place int64) string {
	before := bytes.TrimRight(data[:max(place-1, 0)], " \t\r\n")
	sign := byte(0)
	if place > 0 {
		sign = data[place-1]
	}
	last := byte(0)
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	switch {
	case (sign == '}' || sign == ']') && last == ',':
		return ": a comma too many before the bracket"
	case sign == '"' && (last == '"' || last == '}' || last == ']'):
		return ": a comma is missing before it"
	case sign == '\'':
		return ": texts stand in double quotes"
	case len(before) == 0 && sign != '{':
		return ": it must begin with {, as in {\"user\": \"password\"}; lines as in an htpasswd file are not read"
	case place == int64(len(data)):
		return ": it ends too early; is a bracket or a quote missing?"
	}
	return ""
}

// position turns an offset into line and column, both from 1.
func position(data []byte, offset int64) string {
	before := data[:offset]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
	return fmt.Sprintf("line %d, column %d", line, max(column, 1))
}

func isSyntaxError(err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
