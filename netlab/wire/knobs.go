package wire

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/rstlab/rstlab/netlab"
)

// knobs are the sysctls of a host that scenarios turn. Each file is opened once inside
// the host and stays bound to it, and a value is written only when it changes: runs
// take milliseconds.
type knobs map[string]*knob

type knob struct {
	file  *os.File
	value string
}

// set writes a sysctl of the host.
func (k *knobs) set(h *netlab.Host, key, value string) error {
	if (*k)[key] == nil {
		file, err := openSysctl(h, key)
		if err != nil {
			return err
		}
		if *k == nil {
			*k = knobs{}
		}
		(*k)[key] = &knob{file: file}
	}
	if (*k)[key].value == value {
		return nil
	}
	if _, err := (*k)[key].file.WriteAt([]byte(value), 0); err != nil {
		return fmt.Errorf("set %s to %s: %w", key, value, err)
	}
	(*k)[key].value = value
	return nil
}

func openSysctl(h *netlab.Host, key string) (file *os.File, err error) {
	err = h.Do(func() error {
		file, err = os.OpenFile("/proc/sys/"+strings.ReplaceAll(key, ".", "/"), os.O_WRONLY, 0)
		return err
	})
	return file, err
}

func (k knobs) close() error {
	var errs []error
	for _, knob := range k {
		errs = append(errs, knob.file.Close())
	}
	return errors.Join(errs...)
}
