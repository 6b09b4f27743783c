package model

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"telegraf-anomaly/internal/atomicfile"
)

const (
	suffix      = ".model"
	currentFile = "current"
	lockFile    = "lock"
	stamp       = "20060102T150405.000Z"
	maxName     = 200
)

// lockWait is how long a writer waits for another one.
var lockWait = 5 * time.Second

// ErrNoModel says that a store has no current version yet.
var ErrNoModel = errors.New("model: the store holds no model yet")

// A Store is a directory of model files, one of which is current. Versions are
// never changed. Readers need no lock: the pointer to the current version is
// replaced as a whole, after the version that it names is on the disk.
type Store struct{ dir string }

// OpenStore opens the store in dir, which is made if need be.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return &Store{dir}, nil
}

// Load reads a model from a file, or the current version of a store directory.
func Load(path string) (*Bundle, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if info.IsDir() {
		s := Store{path}
		return s.loadCurrent()
	}
	return readFile(path)
}

// loadCurrent tries again if, just then, another version was made current and the
// old one removed.
func (s *Store) loadCurrent() (*Bundle, error) {
	for {
		name, err := s.Current()
		if err != nil {
			return nil, err
		}
		b, err := s.Load(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
		if again, _ := s.Current(); again == name {
			return nil, err
		}
	}
}

func readFile(path string) (*Bundle, error) {
	data, err := readAtMost(path, MaxSize)
	if err != nil {
		return nil, err
	}
	b, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

func readAtMost(path string, size int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, size+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("model: %w", err)
	case int64(len(data)) > size:
		return nil, fmt.Errorf("%w: %s is larger than %d bytes", ErrInvalid, path, size)
	}
	return data, nil
}

// Save adds b as a new version and returns its name. It does not become current.
func (s *Store) Save(b *Bundle, now time.Time) (name string, err error) {
	data, err := b.Encode()
	if err != nil {
		return "", err
	}
	unlock, err := s.lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if id := contentID(data); id != b.id { // its provenance was added to
		b.id = id
	}
	name = now.UTC().Format(stamp) + "-" + b.id
	if err := atomicfile.Write(s.path(name), data, 0o640); err != nil {
		return "", fmt.Errorf("model: %w", err)
	}
	return name, nil
}

// Promote makes a version current, after checking that it can be loaded.
func (s *Store) Promote(name string) error {
	unlock, err := s.lock() // first, lest somebody removes it between the check and the promotion
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := s.Load(name); err != nil {
		return err
	}
	return s.point(name)
}

func (s *Store) point(name string) error {
	if err := atomicfile.Write(filepath.Join(s.dir, currentFile), []byte(name+"\n"), 0o640); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	return nil
}

// PromoteID makes the newest version with that ID current, for a program that serves
// that model already: it is not read again.
func (s *Store) PromoteID(id string) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	names, err := s.Versions()
	if err != nil {
		return err
	}
	for _, name := range slices.Backward(names) {
		if strings.HasSuffix(name, "-"+id) {
			return s.point(name)
		}
	}
	return fmt.Errorf("%w: none with ID %s in %s", ErrNoModel, id, s.dir)
}

// Retire leaves the store without a current version.
func (s *Store) Retire() error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.Remove(filepath.Join(s.dir, currentFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("model: %w", err)
	}
	return nil
}

// Current returns the name of the current version, or ErrNoModel.
func (s *Store) Current() (string, error) {
	text, err := readAtMost(filepath.Join(s.dir, currentFile), maxName)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %s", ErrNoModel, s.dir)
	}
	return strings.TrimSpace(string(text)), err
}

// Load reads a version.
func (s *Store) Load(name string) (*Bundle, error) {
	if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") || len(name) > maxName {
		return nil, fmt.Errorf("model: %.80q is not the name of a version", name)
	}
	return readFile(s.path(name))
}

// Versions returns the names of all versions, oldest first.
func (s *Store) Versions() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Prune removes all but the newest keep versions and the current one, and
// returns what it removed.
func (s *Store) Prune(keep int) (removed []string, err error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	names, err := s.Versions()
	if err != nil {
		return nil, err
	}
	current, err := s.Current()
	if err != nil && !errors.Is(err, ErrNoModel) {
		return nil, err
	}
	for _, name := range names[:max(0, len(names)-max(0, keep))] {
		if name == current {
			continue
		}
		if err := os.Remove(s.path(name)); err != nil {
			return removed, fmt.Errorf("model: %w", err)
		}
		removed = append(removed, name)
	}
	if err := atomicfile.SyncDir(s.dir); err != nil {
		return removed, fmt.Errorf("model: %w", err)
	}
	return removed, nil
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name+suffix) }

// lock waits a moment for another writer, and sweeps up after crashed ones.
func (s *Store) lock() (unlock func(), err error) {
	for end := time.Now().Add(lockWait); ; time.Sleep(lockWait / 50) {
		unlock, err = atomicfile.Lock(filepath.Join(s.dir, lockFile))
		if !errors.Is(err, atomicfile.ErrLocked) || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("model: store: %w", err)
	}
	if err := atomicfile.Sweep(s.dir); err != nil {
		unlock()
		return nil, fmt.Errorf("model: store: %w", err)
	}
	return unlock, nil
}
