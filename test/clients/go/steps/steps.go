// Package steps is what both Go programs share: the steps, each printed as a line of JSON.
package steps

import (
	"encoding/json"
	"fmt"
	"os"
)

// OwnOrder is in tenant 1, OthersOrder in tenant 2.
const (
	OwnOrder    = 2
	OthersOrder = 1
)

// Object is what a step saw.
type Object = map[string]any

// Step is one step, in the order in which it is taken.
type Step struct {
	Name string
	Work func() (any, error)
}

// Take takes the steps; one that fails is printed too, and the next is taken.
func Take(all []Step) {
	for _, step := range all {
		line := Object{}
		saw, err := attempt(step.Work)
		if err != nil {
			line["failed"] = err.Error()
		} else {
			line["saw"] = saw
		}
		text, _ := json.Marshal(line)
		fmt.Printf("{\"step\":%q,%s\n", step.Name, text[1:])
	}
}

func attempt(work func() (any, error)) (saw any, err error) {
	defer func() {
		if told := recover(); told != nil {
			err = fmt.Errorf("%v", told)
		}
	}()
	return work()
}

// Plain, Secured and Token are connection strings: as alice with a password and without TLS; over verified TLS; and
// with a token in the place of the password.
func Plain() string {
	return fmt.Sprintf("host=%s port=%s dbname=%s user=%s password=%s sslmode=disable",
		os.Getenv("PGHOST"), os.Getenv("PGPORT"), os.Getenv("PGDATABASE"), os.Getenv("PGUSER"), os.Getenv("PGPASSWORD"))
}

func secured(user, password string) string {
	return fmt.Sprintf("host=localhost port=%s dbname=%s user=%s password=%s sslmode=verify-full sslrootcert=%s",
		os.Getenv("PGPORT"), os.Getenv("PGDATABASE"), user, password, os.Getenv("PGSSLROOTCERT"))
}

func Secured() string { return secured(os.Getenv("PGUSER"), os.Getenv("PGPASSWORD")) }

func Token() string { return secured(os.Getenv("TOKEN_USER"), os.Getenv("TOKEN")) }
