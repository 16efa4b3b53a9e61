// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// movedError says that the user has an allow-list, which is not read because a
// variable says that the configuration is elsewhere.
type movedError struct {
	read string // where there is none
	left string // where there is one
}

func (e *movedError) Error() string {
	return fmt.Sprintf("there is no allow-list in %s, but there is one in %s, which is not read then", e.read, e.left)
}

const movedHint = "let kustomize find plugins with KUSTOMIZE_PLUGIN_HOME=DIR/kustomize/plugin instead of XDG_CONFIG_HOME=DIR, " +
	"which moves the settings of other programs too; or say with $" + AllowVariable + " what may be used"

// checkMoved refuses to go on without an allow-list that was there before
// somebody has set XDG_CONFIG_HOME for kustomize's sake.
func checkMoved() error {
	read, err := allowFile()
	if err != nil || read == "" {
		return err
	}
	xdg, home := os.Getenv("XDG_CONFIG_HOME"), os.Getenv("HOME")
	if xdg == "" || home == "" || read != filepath.Join(xdg, "signet", "allow-keys") {
		return nil
	}
	left := filepath.Join(home, ".config", "signet", "allow-keys")
	if runtime.GOOS == "darwin" {
		left = filepath.Join(home, "Library", "Application Support", "signet", "allow-keys")
	}
	if _, err := os.Lstat(left); err == nil || errors.Is(err, fs.ErrPermission) {
		return &SettingError{"$XDG_CONFIG_HOME", &movedError{read: read, left: left}}
	}
	return nil
}
