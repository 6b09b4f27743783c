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
)

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
		name, err := s.Current()
		if err != nil {
			return nil, err
		}
		return s.Load(name)
	}
	return readFile(path)
}

func readFile(path string) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: %s is larger than %d MiB", ErrInvalid, path, MaxSize>>20)
	}
	b, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// Save adds b as a new version and returns its name. It does not become current.
func (s *Store) Save(b *Bundle, now time.Time) (name string, err error) {
	data, err := b.encode()
	if err != nil {
		return "", err
	}
	unlock, err := s.lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	name = now.UTC().Format(stamp) + "-" + b.ID()
	return name, atomicfile.Write(s.path(name), data, 0o640)
}

// Promote makes a version current, after checking that it can be loaded.
func (s *Store) Promote(name string) error {
	if _, err := s.Load(name); err != nil {
		return err
	}
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	return atomicfile.Write(filepath.Join(s.dir, currentFile), []byte(name+"\n"), 0o640)
}

// PromoteID makes the newest version with that ID current.
func (s *Store) PromoteID(id string) error {
	names, err := s.Versions()
	if err != nil {
		return err
	}
	for _, name := range slices.Backward(names) {
		if strings.HasSuffix(name, "-"+id) {
			return s.Promote(name)
		}
	}
	return fmt.Errorf("%w: none with ID %s in %s", ErrNoModel, id, s.dir)
}

// Current returns the name of the current version, or ErrNoModel.
func (s *Store) Current() (string, error) {
	b, err := os.ReadFile(filepath.Join(s.dir, currentFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %s", ErrNoModel, s.dir)
	}
	return strings.TrimSpace(string(b)), err
}

// Load reads a version.
func (s *Store) Load(name string) (*Bundle, error) {
	if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return nil, fmt.Errorf("model: %q is not the name of a version", name)
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
	for _, name := range names[:max(0, len(names)-keep)] {
		if name == current {
			continue
		}
		if err := os.Remove(s.path(name)); err != nil {
			return removed, err
		}
		removed = append(removed, name)
	}
	return removed, atomicfile.SyncDir(s.dir)
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name+suffix) }

// lock waits a moment for another writer, and sweeps up after crashed ones.
func (s *Store) lock() (unlock func(), err error) {
	for range 50 {
		unlock, err = atomicfile.Lock(filepath.Join(s.dir, lockFile))
		if !errors.Is(err, atomicfile.ErrLocked) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("model: store: %w", err)
	}
	return unlock, atomicfile.Sweep(s.dir)
}
