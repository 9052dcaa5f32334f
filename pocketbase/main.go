// PocketBase with JavaScript hooks and migrations: what the official executable has, built from its Go module.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/plugins/jsvm"
	"github.com/pocketbase/pocketbase/plugins/migratecmd"
)

func main() {
	app := pocketbase.New()

	var hooksDir, migrationsDir string
	var hooksWatch, automigrate bool
	var hooksPool int

	flags := app.RootCmd.PersistentFlags()
	flags.StringVar(&hooksDir, "hooksDir", "", "directory with *.pb.js hooks (default <dir>/../pb_hooks)")
	flags.BoolVar(&hooksWatch, "hooksWatch", false, "restart when a hook file changes")
	flags.IntVar(&hooksPool, "hooksPool", 15, "prewarmed JS runtimes")
	flags.StringVar(&migrationsDir, "migrationsDir", "", "directory with *.js migrations (default <dir>/../pb_migrations)")
	flags.BoolVar(&automigrate, "automigrate", false, "write a migration file when a collection changes over the API")

	// The plugins need the values before cobra runs. A wrong flag is reported when it does.
	_ = app.RootCmd.ParseFlags(os.Args[1:])

	if migrationsDir == "" {
		migrationsDir = filepath.Join(app.DataDir(), "../pb_migrations")
	}

	jsvm.MustRegister(app, jsvm.Config{
		MigrationsDir: migrationsDir,
		HooksDir:      hooksDir,
		HooksWatch:    hooksWatch,
		HooksPoolSize: hooksPool,
	})
	migratecmd.MustRegister(app, app.RootCmd, migratecmd.Config{
		TemplateLang: migratecmd.TemplateLangJS,
		Automigrate:  automigrate,
		Dir:          migrationsDir,
	})

	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}
