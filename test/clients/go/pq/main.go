// lib/pq through database/sql: prepared statements, transactions, COPY, cancel by context, its listener.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"
	"rolegate.test/clients/steps"
)

var ctx = context.Background()

type object = steps.Object

const insert = "insert into orders (customer_id, tenant_id, amount, note) values ($1, $2, $3, $4)"

type asked interface {
	QueryRow(string, ...any) *sql.Row
	Query(string, ...any) (*sql.Rows, error)
	Exec(string, ...any) (sql.Result, error)
}

func through(text string, work func(*sql.DB) (any, error)) (any, error) {
	db, err := sql.Open("postgres", text)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return work(db)
}

func here(work func(*sql.DB) (any, error)) func() (any, error) {
	return func() (any, error) { return through(steps.Plain(), work) }
}

// must is for what fails only if the step does.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func one[T any](db asked, text string, args ...any) (value T, err error) {
	err = db.QueryRow(text, args...).Scan(&value)
	return
}

func count(db asked) int { return must(one[int](db, "select count(*) from orders")) }

func code(err error) string {
	var refusal *pq.Error
	if errors.As(err, &refusal) {
		return string(refusal.Code)
	}
	return fmt.Sprint(err)
}

func exec(db asked, text string, args ...any) error {
	_, err := db.Exec(text, args...)
	return err
}

func affected(db asked, text string, args ...any) int64 {
	return must(must(db.Exec(text, args...)).RowsAffected())
}

func names(db asked, text string, args ...any) ([]string, error) {
	rows, err := db.Query(text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []string{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		found = append(found, name)
	}
	return found, rows.Err()
}

func transaction(db *sql.DB) (any, error) {
	saw := object{}
	tx := must(db.Begin())
	must(tx.Exec(insert, 1, 1, 5, nil))
	saw["inside"] = count(tx)
	saw["refused"] = code(exec(tx, "select * from tenants"))
	saw["next"] = code(exec(tx, "select 1"))
	if err := tx.Rollback(); err != nil {
		return nil, err
	}
	saw["after"] = count(db)
	tx = must(db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead}))
	must(tx.Exec(insert, 1, 1, 5, nil))
	must(tx.Exec("savepoint here"))
	if code(exec(tx, insert, 2, 2, 5, nil)) != "42501" {
		return nil, errors.New("not refused")
	}
	must(tx.Exec("rollback to savepoint here"))
	saw["savepoint"] = count(tx)
	if err := tx.Rollback(); err != nil {
		return nil, err
	}
	saw["end"] = count(db)
	return saw, nil
}

func prepared(db *sql.DB) (any, error) {
	statement, err := db.Prepare("select name from customers where id = $1")
	if err != nil {
		return nil, err
	}
	defer statement.Close()
	found := 0
	for id := 1; id <= 40; id++ {
		var name string
		if err := statement.QueryRow(id).Scan(&name); err == nil {
			found++
		} else if !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	}
	return found, nil
}

func batch(db *sql.DB) (any, error) {
	tx := must(db.Begin())
	statement := must(tx.Prepare(insert))
	var made int64
	for n := 0; n < 50; n++ {
		made += must(must(statement.Exec(1, 1, n, "batch")).RowsAffected())
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	return object{"made": made, "deleted": affected(db, "delete from orders where note = 'batch'")}, nil
}

func cursor(db *sql.DB) (any, error) {
	tx := must(db.Begin())
	defer tx.Rollback()
	must(tx.Exec("declare parts cursor for select id from orders order by id"))
	sizes := []int{}
	for {
		ids, err := names(tx, "fetch 50 from parts")
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			return sizes, nil
		}
		sizes = append(sizes, len(ids))
	}
}

// lib/pq has COPY FROM alone.
func copied(db *sql.DB) (any, error) {
	into := func(tenants ...int) (int64, error) {
		tx := must(db.Begin())
		defer tx.Rollback()
		statement, err := tx.Prepare("copy orders (customer_id, tenant_id, amount, note) from stdin")
		if err != nil {
			return 0, err
		}
		for _, tenant := range tenants {
			if _, err := statement.Exec(1, tenant, 5, "copied"); err != nil {
				return 0, err
			}
		}
		result, err := statement.Exec()
		if err != nil {
			return 0, err
		}
		if err := statement.Close(); err != nil {
			return 0, err
		}
		made, err := result.RowsAffected()
		return made, first(err, tx.Commit())
	}
	made, err := into(1, 1, 1)
	if err != nil {
		return nil, err
	}
	_, err = into(1, 2, 1)
	must(db.Exec("delete from orders where note = 'copied'"))
	return object{"in": made, "refused": code(err), "left": count(db)}, nil
}

func cancel(db *sql.DB) (any, error) {
	limited, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	_, err := db.ExecContext(limited, "select pg_sleep(30)")
	return object{"code": code(err), "next": must(one[int](db, "select 1"))}, nil
}

func notify(db *sql.DB) (any, error) {
	listener := pq.NewListener(steps.Plain(), time.Second, time.Second, nil)
	defer listener.Close()
	if err := listener.Listen("jobs"); err != nil {
		return nil, err
	}
	must(db.Exec("select pg_notify($1, $2)", "jobs", "hello"))
	select {
	case told := <-listener.Notify:
		return []string{told.Channel, told.Extra}, nil
	case <-time.After(10 * time.Second):
		return nil, errors.New("no notification")
	}
}

func main() {
	steps.Take([]steps.Step{
		{Name: "connect", Work: here(func(db *sql.DB) (any, error) {
			role := must(one[string](db, "select current_user"))
			return object{"identity": must(one[string](db, "show rolegate.identity")), "role": role}, nil
		})},
		{Name: "tls", Work: func() (any, error) {
			return through(steps.Secured(), func(db *sql.DB) (any, error) {
				name, err := one[string](db, "show rolegate.identity")
				return object{"identity": name}, err
			})
		}},
		{Name: "token", Work: func() (any, error) {
			return through(steps.Token(), func(db *sql.DB) (any, error) {
				customers := must(one[int](db, "select count(*) from customers"))
				return object{"identity": must(one[string](db, "show rolegate.identity")), "customers": customers}, nil
			})
		}},
		{Name: "read", Work: here(func(db *sql.DB) (any, error) {
			orders := must(names(db, "select o::text from orders o"))
			var tenant int
			if err := db.QueryRow("select distinct tenant_id from customers where tenant_id = any($1)", pq.Array([]int{1, 2})).Scan(&tenant); err != nil {
				return nil, err
			}
			return object{
				"customers": must(one[int](db, "select count(*) from customers")),
				"tenants":   []int{tenant},
				"orders":    len(orders),
				"email":     must(one[string](db, "select email from customers where id = $1", 1)),
			}, nil
		})},
		{Name: "join", Work: here(func(db *sql.DB) (any, error) {
			return one[int](db, "select count(*) from customers c join orders o on o.customer_id = c.id")
		})},
		{Name: "hidden", Work: here(func(db *sql.DB) (any, error) {
			return code(exec(db, "select ssn from customers where id = $1", 1)), nil
		})},
		{Name: "create", Work: here(func(db *sql.DB) (any, error) {
			var id, tenant int
			var status, note string
			err := db.QueryRow(insert+" returning id, tenant_id, status, note", 1, 1, 5, "made").Scan(&id, &tenant, &status, &note)
			if err != nil {
				return nil, err
			}
			must(db.Exec("delete from orders where id = $1", id))
			return object{"tenant_id": tenant, "status": status, "note": note}, nil
		})},
		{Name: "create_other", Work: here(func(db *sql.DB) (any, error) {
			return code(exec(db, insert, 2, 2, 5, nil)), nil
		})},
		{Name: "update", Work: here(func(db *sql.DB) (any, error) {
			text := "update orders set note = 'changed' where id = $1"
			return object{"own": affected(db, text, steps.OwnOrder), "other": affected(db, text, steps.OthersOrder)}, nil
		})},
		{Name: "delete", Work: here(func(db *sql.DB) (any, error) {
			made := must(one[int](db, insert+" returning id", 1, 1, 5, nil))
			text := "delete from orders where id = $1"
			return object{"own": affected(db, text, made), "other": affected(db, text, steps.OthersOrder)}, nil
		})},
		{Name: "transaction", Work: here(transaction)},
		{Name: "batch", Work: here(batch)},
		{Name: "prepared", Work: here(prepared)},
		{Name: "cursor", Work: here(cursor)},
		{Name: "copy", Work: here(copied)},
		{Name: "error", Work: here(func(db *sql.DB) (any, error) {
			var refusal *pq.Error
			errors.As(exec(db, "select * from tenants"), &refusal)
			return object{"code": refusal.Code, "detail": refusal.Detail, "hint": refusal.Hint}, nil
		})},
		{Name: "cancel", Work: here(cancel)},
		{Name: "notify", Work: here(notify)},
	})
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
