package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
)

// Subprotocol is the name of the encoding: one text message a frame, in protobuf's JSON mapping.
const Subprotocol = "frontdesk.v1.json"

// field says how a field is called, what it holds, and how it stands: plain, repeated, optional or a oneof's name.
type field struct{ name, proto, kind, stands string }

// MalformedError is a frame that cannot be read. Code is frame.malformed or frame.unknown.
type MalformedError struct{ Code, Detail string }

func (e *MalformedError) Error() string { return e.Code + ": " + e.Detail }

// DecodeServer reads a frame of the server. Reading is generous, as protobuf's JSON mapping asks: names as in the proto
// file, 64-bit integers as numbers, base64 for URLs, enum values as numbers, null for absent. A kind or value this SDK does
// not know is passed over: a newer server may say it.
func DecodeServer(text []byte) (*ServerFrame, error) {
	frame := new(ServerFrame)
	_, err := decode(text, "ServerFrame", true, frame)
	return frame, err
}

// DecodeClient reads a frame of a client as the server does: for tests and for those who play the server.
func DecodeClient(text []byte) (*ClientFrame, error) {
	frame := new(ClientFrame)
	found, err := decode(text, "ClientFrame", false, frame)
	if err != nil {
		return nil, err
	}
	delete(found, "ref")
	if len(found) == 0 {
		return nil, &MalformedError{"frame.unknown", "no kind that is known"}
	}
	return frame, nil
}

// Encode writes a ClientFrame or ServerFrame in its canonical form.
func Encode(frame any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	// The text goes into no page.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(frame); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

func decode(text []byte, kind string, newer bool, into any) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, &MalformedError{"frame.malformed", "not JSON"}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, &MalformedError{"frame.malformed", "more than one value"}
	}
	found, err := message(value, kind, newer)
	if err != nil {
		return nil, err
	}
	canonical, err := json.Marshal(found)
	if err == nil {
		err = json.Unmarshal(canonical, into)
	}
	if err != nil {
		return nil, &MalformedError{"frame.malformed", err.Error()}
	}
	return found, nil
}

func message(value any, kind string, newer bool) (map[string]any, error) {
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, wrong(kind, value)
	}
	out := map[string]any{}
	chosen := map[string]bool{}
	for _, field := range messages[kind] {
		one := fields[field.name]
		if one == nil {
			one = fields[field.proto]
		}
		if one == nil {
			continue
		}
		if field.stands == "repeated" {
			read, err := list(one, field, newer)
			if err != nil {
				return nil, err
			}
			out[field.name] = read
			continue
		}
		read, err := scalar(one, field, newer)
		if err != nil {
			return nil, err
		}
		if read == nil {
			continue
		}
		if field.stands != "plain" && field.stands != "optional" {
			if chosen[field.stands] {
				return nil, &MalformedError{"frame.malformed", kind + " has two of " + field.stands}
			}
			chosen[field.stands] = true
		}
		out[field.name] = read
	}
	return out, nil
}

func list(value any, of field, newer bool) ([]any, error) {
	values, ok := value.([]any)
	if !ok {
		return nil, wrong(of.name, value)
	}
	out := make([]any, 0, len(values))
	for _, each := range values {
		read, err := scalar(each, of, newer)
		if err != nil {
			return nil, err
		}
		if read != nil {
			out = append(out, read)
		}
	}
	return out, nil
}

// scalar gives the value as the types of this package are read from it; nil for one that is passed over.
func scalar(value any, of field, newer bool) (any, error) {
	if values, ok := enums[of.kind]; ok {
		return enum(value, of.name, values, newer)
	}
	switch of.kind {
	case "string":
		if text, ok := value.(string); ok {
			return text, nil
		}
	case "bool":
		if flag, ok := value.(bool); ok {
			return flag, nil
		}
	case "float":
		if number, ok := value.(json.Number); ok {
			return number, nil
		}
	case "bytes":
		return bytesOf(value, of.name)
	case "map":
		return texts(value, of.name)
	case "uint32":
		if number := integer(value); number != nil && number.Sign() >= 0 && number.Cmp(big.NewInt(math.MaxUint32)) <= 0 {
			return json.Number(number.String()), nil
		}
	case "uint64", "fixed64":
		if number := integer(value); number != nil && number.IsUint64() {
			return number.String(), nil
		}
	case "int64":
		if number := integer(value); number != nil && number.IsInt64() {
			return number.String(), nil
		}
	default:
		// An empty message has no table.
		return message(value, of.kind, newer)
	}
	return nil, wrong(of.name, value)
}

func enum(value any, name string, values []string, newer bool) (any, error) {
	switch value := value.(type) {
	case json.Number:
		if at, err := value.Int64(); err == nil && at >= 0 && at < int64(len(values)) {
			return known(values[at], values), nil
		}
	case string:
		for _, each := range values {
			if each == value {
				return known(value, values), nil
			}
		}
	}
	if newer {
		return nil, nil
	}
	return nil, wrong(name, value)
}

// known gives an enum's value; the one that is zero is absent.
func known(value string, values []string) any {
	if value == values[0] {
		return nil
	}
	return value
}

func integer(value any) *big.Int {
	text := ""
	switch value := value.(type) {
	case json.Number:
		text = value.String()
	case string:
		text = value
	}
	if len(text) == 0 || len(text) > 21 {
		return nil
	}
	// 42.0 and 4.2e1 are integers too.
	if rational, ok := new(big.Rat).SetString(text); ok && rational.IsInt() && !strings.ContainsAny(text, "/_") {
		return rational.Num()
	}
	return nil
}

func bytesOf(value any, name string) (any, error) {
	text, ok := value.(string)
	if !ok {
		return nil, wrong(name, value)
	}
	plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, wrong(name, value)
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

func texts(value any, name string) (any, error) {
	found, ok := value.(map[string]any)
	if !ok {
		return nil, wrong(name, value)
	}
	for _, each := range found {
		if _, ok := each.(string); !ok {
			return nil, wrong(name, each)
		}
	}
	return found, nil
}

func wrong(name string, value any) error {
	return &MalformedError{"frame.malformed", fmt.Sprintf("%s cannot be %T", name, value)}
}
