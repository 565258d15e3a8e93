// SPDX-FileCopyrightText: 2026 The caddy-panelauth authors
// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxDepth is far more than any claim needs and far less than would hurt.
const maxDepth = 32

// decodeObject reads one JSON object the way a security decision wants it:
// names are taken as they are written, a name that occurs twice is refused
// (two readers might choose differently), nesting ends somewhere, and numbers
// keep all their digits.
func decodeObject(data []byte) (claims, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decodeValue(d, maxDepth)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the JSON object")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("the JSON is no object")
	}
	return object, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, syntaxError(err)
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == 0 {
		return nil, errors.New("the JSON is nested too deeply")
	}
	if delim == '[' {
		return decodeList(d, depth-1)
	}
	return decodeMembers(d, depth-1)
}

func decodeList(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := decodeValue(d, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, syntaxError(err)
}

func decodeMembers(d *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, syntaxError(err)
		}
		name, _ := token.(string) // the decoder allows nothing else here
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("the JSON has %q twice", cut(oneLine(name), maxCode))
		}
		if object[name], err = decodeValue(d, depth); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, syntaxError(err)
}

// syntaxError hides what the decoder quotes from its input.
func syntaxError(err error) error {
	if err == nil {
		return nil
	}
	return errors.New("it is not valid JSON")
}

// repairEscapes removes the backslash of \', which JSON does not know and
// Azure writes in its error messages.
func repairEscapes(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\'`)) {
		return data
	}
	repaired := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' || i+1 == len(data) {
			repaired = append(repaired, data[i])
			continue
		}
		if data[i+1] != '\'' {
			repaired = append(repaired, '\\')
		}
		i++
		repaired = append(repaired, data[i])
	}
	return repaired
}
