package frontdesk

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"

	"frontdesk.example/sdk/wire"
)

type vector struct {
	Name  string          `json:"name"`
	JSON  json.RawMessage `json:"json"`
	Text  *string         `json:"text"`
	Means json.RawMessage `json:"means"`
	Code  string          `json:"code"`
}

func vectors(t *testing.T, file string) []vector {
	t.Helper()
	text, err := os.ReadFile("../../crates/protocol/vectors/" + file + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var found []vector
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// sorted gives one text for one value, whatever the order of its fields.
func sorted(t *testing.T, text []byte) string {
	t.Helper()
	var value any
	// A float may be written 1 or 1.0; 64-bit numbers are text.
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func encoded(t *testing.T, frame any) []byte {
	t.Helper()
	text, err := wire.Encode(frame)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestClientFramesAreReadAndWrittenByteForByte(t *testing.T) {
	for _, vector := range vectors(t, "client") {
		frame, err := wire.DecodeClient(vector.JSON)
		if err != nil {
			t.Fatalf("%s: %v", vector.Name, err)
		}
		if got, want := sorted(t, encoded(t, frame)), sorted(t, vector.JSON); got != want {
			t.Errorf("%s:\n got %s\nwant %s", vector.Name, got, want)
		}
	}
}

func TestServerFramesAreReadAndWrittenByteForByte(t *testing.T) {
	for _, vector := range vectors(t, "server") {
		frame, err := wire.DecodeServer(vector.JSON)
		if err != nil {
			t.Fatalf("%s: %v", vector.Name, err)
		}
		if got, want := sorted(t, encoded(t, frame)), sorted(t, vector.JSON); got != want {
			t.Errorf("%s:\n got %s\nwant %s", vector.Name, got, want)
		}
	}
}

func TestAReaderAcceptsMoreThanAWriterWrites(t *testing.T) {
	seen := 0
	for _, vector := range vectors(t, "lenient") {
		if vector.Text == nil {
			continue // of the other encoding
		}
		seen++
		frame, err := wire.DecodeClient([]byte(*vector.Text))
		if err != nil {
			t.Fatalf("%s: %v", vector.Name, err)
		}
		if got, want := sorted(t, encoded(t, frame)), sorted(t, vector.Means); got != want {
			t.Errorf("%s:\n got %s\nwant %s", vector.Name, got, want)
		}
	}
	if seen < 6 {
		t.Errorf("only %d vectors", seen)
	}
}

func TestBase64ForURLsIsReadInBothItsCharacters(t *testing.T) {
	frame, err := wire.DecodeClient([]byte(`{"send":{"clientMsgId":"-_-_"}}`))
	if err != nil || string(frame.Send.ClientMsgID) != "\xfb\xff\xbf" {
		t.Errorf("%+v %v", frame, err)
	}
}

func TestWhatIsMalformedIsRefusedWithTheCodeOfTheProtocol(t *testing.T) {
	seen := 0
	for _, vector := range vectors(t, "refused") {
		if vector.Text == nil {
			continue
		}
		seen++
		_, err := wire.DecodeClient([]byte(*vector.Text))
		var malformed *wire.MalformedError
		if !errors.As(err, &malformed) || malformed.Code != vector.Code {
			t.Errorf("%s: %v, want %s", vector.Name, err, vector.Code)
		}
	}
	if seen < 10 {
		t.Errorf("only %d vectors", seen)
	}
}

func TestAFrameOfANewerServerIsReadAsFarAsItIsKnown(t *testing.T) {
	frame, err := wire.DecodeServer([]byte(`{"juggle":{"balls":3}}`))
	if err != nil || !reflect.DeepEqual(frame, &wire.ServerFrame{}) {
		t.Errorf("%+v %v", frame, err)
	}
	frame, err = wire.DecodeServer([]byte(`{"presence":{"presence":"PRESENCE_ASLEEP","conversation":"c"}}`))
	if err != nil || !reflect.DeepEqual(frame.Presence, &wire.PresenceUpdate{Conversation: "c"}) {
		t.Errorf("%+v %v", frame, err)
	}
}
