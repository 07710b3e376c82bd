package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"audit/inspect"
	"audit/inspect/userfile"
)

// The names of what lies in the folder of a batch.
const (
	ResultsFolder = "results"   // a folder for each result, by its key
	StatusFolder  = "status"    // a file for each reference, by the SHA-256 of it
	ListFile      = "list.json" // what the batch is of
)

// SchemaVersion is the version of the files of this package.
const SchemaVersion = "1"

// A List is what a batch is of, whole, whatever part of it one worker does.
type List struct {
	SchemaVersion string  `json:"schemaVersion"`
	Images        []Image `json:"images"` // sorted by reference, each once
}

// An Image is one of a list.
type Image struct {
	Reference string   `json:"reference"` // as the list has it, without secrets
	Names     []string `json:"names"`     // what the list calls it: processes of a pipeline, containers of pods; sorted
}

// A State says how far the work on an image came.
type State string

// The states of a status. That there is none means that nobody has begun.
const (
	Trying     State = "trying"     // somebody is at it, or was when their worker ended
	Done       State = "done"       // its result is there
	Unreadable State = "unreadable" // the image cannot be read
	NotDone    State = "not-done"   // it could not be audited, and nothing is known of it
)

// A Status is what became of one reference. It is written before the work begins,
// and again when it ends.
type Status struct {
	SchemaVersion string    `json:"schemaVersion"`
	Reference     string    `json:"reference"`
	Digest        string    `json:"digest"` // of the image manifest, the index or the file, on that day; "" while it is not known
	Key           string    `json:"key"`    // of the result; "" while it is not known
	State         State     `json:"state"`
	Problem       string    `json:"problem"` // why there is no result; "" when there is one
	Again         bool      `json:"again"`   // another try may end otherwise
	Tries         int       `json:"tries"`   // of this key
	Lost          int       `json:"lost"`    // the last of them, in a row, whose worker ended
	Began         time.Time `json:"began"`   // of the last try
	Seconds       float64   `json:"seconds"` // that it took; 0 while it lasts
	Rebuild       float64   `json:"rebuild"` // seconds that the last rebuild took, of whatever the reference led to then; 0 where it is not known
	Worker        string    `json:"worker"`  // host and process
	Shard         string    `json:"shard"`   // such as "1/8"
	File          *File     `json:"file"`    // of a reference that is a file; else null
}

// A File is what a file was when its digest was computed.
type File struct {
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Tag      string    `json:"tag"` // what its server or its file system calls its state; "" where they have no such thing
}

// maxStatus bounds the file of a status, in bytes; maxList that of a list.
const (
	maxStatus = 64 << 10
	maxList   = 256 << 20
)

// states are those that a status can have.
func states() []State { return []State{Trying, Done, Unreadable, NotDone} }

// ReadStatus reads a status. One of another state is refused.
func ReadStatus(path string) (Status, error) {
	var s Status
	err := readFile(path, maxStatus, &s)
	if err == nil && s.SchemaVersion != SchemaVersion {
		err = fmt.Errorf("reading %s: its schemaVersion is not %s", path, SchemaVersion)
	}
	if err == nil && !slices.Contains(states(), s.State) {
		err = fmt.Errorf("reading %s: there is no state %.40q", path, s.State)
	}
	return s, err
}

// The limits of one image of a list.
const (
	maxReference = 8 << 10 // bytes
	maxImageName = 4 << 10 // bytes
	maxOwnNames  = 100
)

// check says what is wrong with an image of a list: tables have its reference with each
// of its names.
func (img Image) check() error {
	if len(img.Reference) > maxReference {
		return &inspect.LimitError{Name: "bytes of a reference", Limit: maxReference, Where: "an image of the list"}
	}
	if len(img.Names) > maxOwnNames {
		return &inspect.LimitError{Name: "names of an image", Limit: maxOwnNames, Where: "an image of the list"}
	}
	for _, name := range img.Names {
		if len(name) > maxImageName {
			return &inspect.LimitError{Name: "bytes of a name", Limit: maxImageName, Where: "an image of the list"}
		}
	}
	return nil
}

// ReadList reads the list of the folder of a batch; one that has none is an
// [fs.ErrNotExist].
func ReadList(dir string) (List, error) {
	var l List
	path := filepath.Join(dir, ListFile)
	err := readFile(path, maxList, &l)
	if err == nil && l.SchemaVersion != SchemaVersion {
		err = fmt.Errorf("reading %s: its schemaVersion is not %s", path, SchemaVersion)
	}
	for i := 0; err == nil && i < len(l.Images); i++ {
		if err = l.Images[i].check(); err != nil {
			err = fmt.Errorf("reading %s: %w", path, err)
		}
	}
	return l, err
}

func readFile(path string, most int64, v any) error {
	text, err := userfile.Read(path, most)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// IsAbsent says that a file is not there.
func IsAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
