// pgx: the extended protocol with cached statements in binary, batches in a pipeline, COPY, cancel by context, listen,
// its other modes of asking, and its pool.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"rolegate.test/clients/steps"
)

var ctx = context.Background()

type object = steps.Object

const insert = "insert into orders (customer_id, tenant_id, amount, note) values ($1, $2, $3, $4)"

func through(text string, work func(*pgx.Conn) (any, error)) (any, error) {
	conn, err := pgx.Connect(ctx, text)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	return work(conn)
}

func here(work func(*pgx.Conn) (any, error)) func() (any, error) {
	return func() (any, error) { return through(steps.Plain(), work) }
}

type asked interface {
	QueryRow(context.Context, string, ...any) pgx.Row
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
}

func one[T any](conn asked, text string, args ...any) (value T, err error) {
	err = conn.QueryRow(ctx, text, args...).Scan(&value)
	return
}

// must is for what fails only if the step does.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func count(conn asked) int { return must(one[int](conn, "select count(*) from orders")) }

func code(err error) string {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return fmt.Sprint(err)
}

func exec(conn asked, text string, args ...any) error {
	_, err := conn.Exec(ctx, text, args...)
	return err
}

func affected(conn asked, text string, args ...any) int64 {
	return must(conn.Exec(ctx, text, args...)).RowsAffected()
}

func identity(conn *pgx.Conn) (any, error) {
	name, err := one[string](conn, "show rolegate.identity")
	return object{"identity": name}, err
}

func read(conn *pgx.Conn) (any, error) {
	rows, err := conn.Query(ctx, "select * from orders")
	if err != nil {
		return nil, err
	}
	orders, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil {
		return nil, err
	}
	rows, _ = conn.Query(ctx, "select distinct tenant_id from customers where tenant_id = any($1)", []int32{1, 2})
	tenants, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return nil, err
	}
	return object{
		"customers": must(one[int](conn, "select count(*) from customers")),
		"tenants":   tenants,
		"orders":    len(orders),
		"email":     must(one[string](conn, "select email from customers where id = $1", 1)),
	}, nil
}

func prepared(conn *pgx.Conn) (any, error) {
	if _, err := conn.Prepare(ctx, "customer", "select name from customers where id = $1"); err != nil {
		return nil, err
	}
	found := 0
	for id := 1; id <= 40; id++ {
		if _, err := one[string](conn, "customer", id); err == nil {
			found++
		} else if !errors.Is(err, pgx.ErrNoRows) {
			return nil, err
		}
	}
	return found, nil
}

func transaction(conn *pgx.Conn) (any, error) {
	saw := object{}
	tx := must(conn.Begin(ctx))
	must(tx.Exec(ctx, insert, 1, 1, 5, nil))
	saw["inside"] = count(tx)
	saw["refused"] = code(exec(tx, "select * from tenants"))
	saw["next"] = code(exec(tx, "select 1"))
	if err := tx.Rollback(ctx); err != nil {
		return nil, err
	}
	saw["after"] = count(conn)
	tx = must(conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}))
	must(tx.Exec(ctx, insert, 1, 1, 5, nil))
	inner := must(tx.Begin(ctx))
	if code(exec(inner, insert, 2, 2, 5, nil)) != "42501" {
		return nil, errors.New("not refused")
	}
	if err := inner.Rollback(ctx); err != nil {
		return nil, err
	}
	saw["savepoint"] = count(tx)
	if err := tx.Rollback(ctx); err != nil {
		return nil, err
	}
	saw["end"] = count(conn)
	return saw, nil
}

func batch(conn *pgx.Conn) (any, error) {
	many := &pgx.Batch{}
	for n := 0; n < 50; n++ {
		many.Queue(insert, 1, 1, n, "batch")
	}
	results := conn.SendBatch(ctx, many)
	var made int64
	for n := 0; n < 50; n++ {
		tag, err := results.Exec()
		if err != nil {
			return nil, err
		}
		made += tag.RowsAffected()
	}
	if err := results.Close(); err != nil {
		return nil, err
	}
	return object{"made": made, "deleted": affected(conn, "delete from orders where note = 'batch'")}, nil
}

// A refusal within a batch leaves nothing of it, as an error of the database's does.
func refusedBatch(conn *pgx.Conn) (any, error) {
	many := &pgx.Batch{}
	many.Queue("update orders set note = 'lost' where id = $1", steps.OwnOrder)
	many.Queue("select * from tenants")
	many.Queue("select 1")
	refused := code(conn.SendBatch(ctx, many).Close())
	return object{"refused": refused, "lost": must(one[int](conn, "select count(*) from orders where note = 'lost'"))}, nil
}

func cursor(conn *pgx.Conn) (any, error) {
	tx := must(conn.Begin(ctx))
	defer tx.Rollback(ctx)
	must(tx.Exec(ctx, "declare parts cursor for select id from orders order by id"))
	sizes := []int{}
	for {
		rows, err := tx.Query(ctx, "fetch 50 from parts")
		if err != nil {
			return nil, err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			return sizes, nil
		}
		sizes = append(sizes, len(ids))
	}
}

func copied(conn *pgx.Conn) (any, error) {
	var out bytes.Buffer
	if _, err := conn.PgConn().CopyTo(ctx, &out, "copy orders to stdout"); err != nil {
		return nil, err
	}
	into := func(tenants ...int32) (int64, error) {
		rows := [][]any{}
		for _, tenant := range tenants {
			rows = append(rows, []any{int32(1), tenant, "5", "copied"})
		}
		columns := []string{"customer_id", "tenant_id", "amount", "note"}
		return conn.CopyFrom(ctx, pgx.Identifier{"orders"}, columns, pgx.CopyFromRows(rows))
	}
	made, err := into(1, 1, 1)
	if err != nil {
		return nil, err
	}
	_, err = into(1, 2, 1)
	must(conn.Exec(ctx, "delete from orders where note = 'copied'"))
	return object{
		"out": bytes.Count(out.Bytes(), []byte("\n")), "in": made, "refused": code(err), "left": count(conn),
	}, nil
}

func cancel(conn *pgx.Conn) (any, error) {
	time.AfterFunc(time.Second, func() { _ = conn.PgConn().CancelRequest(ctx) })
	asleep := code(exec(conn, "select pg_sleep(30)"))
	return object{"code": asleep, "next": must(one[int](conn, "select 1"))}, nil
}

func notify(conn *pgx.Conn) (any, error) {
	must(conn.Exec(ctx, "listen jobs"))
	must(conn.Exec(ctx, "select pg_notify($1, $2)", "jobs", "hello"))
	waiting, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	told, err := conn.WaitForNotification(waiting)
	if err != nil {
		return nil, err
	}
	return []string{told.Channel, told.Payload}, nil
}

// Each of pgx's ways to send a query, that for PgBouncer among them.
func modes() (any, error) {
	seen := object{}
	for name, mode := range map[string]pgx.QueryExecMode{
		"cache_statement": pgx.QueryExecModeCacheStatement, "cache_describe": pgx.QueryExecModeCacheDescribe,
		"describe_exec": pgx.QueryExecModeDescribeExec, "exec": pgx.QueryExecModeExec,
		"simple_protocol": pgx.QueryExecModeSimpleProtocol,
	} {
		config := must(pgx.ParseConfig(steps.Plain()))
		config.DefaultQueryExecMode = mode
		conn := must(pgx.ConnectConfig(ctx, config))
		seen[name] = must(one[int](conn, "select count(*) from customers where id > $1 and name <> $2", 0, "nobody"))
		conn.Close(ctx)
	}
	return seen, nil
}

func pool() (any, error) {
	connections, err := pgxpool.New(ctx, steps.Plain()+" pool_max_conns=4")
	if err != nil {
		return nil, err
	}
	defer connections.Close()
	answers := make(chan int, 20)
	for n := 0; n < 20; n++ {
		go func() {
			seen, err := one[int](connections, "select count(*) from customers")
			if err != nil {
				seen = -1
			}
			answers <- seen
		}()
	}
	total := 0
	for n := 0; n < 20; n++ {
		total += <-answers
	}
	return total, nil
}

func main() {
	steps.Take([]steps.Step{
		{Name: "connect", Work: here(func(conn *pgx.Conn) (any, error) {
			role := must(one[string](conn, "select current_user"))
			return object{"identity": must(one[string](conn, "show rolegate.identity")), "role": role}, nil
		})},
		{Name: "tls", Work: func() (any, error) { return through(steps.Secured(), identity) }},
		{Name: "token", Work: func() (any, error) {
			return through(steps.Token(), func(conn *pgx.Conn) (any, error) {
				customers := must(one[int](conn, "select count(*) from customers"))
				return object{"identity": must(one[string](conn, "show rolegate.identity")), "customers": customers}, nil
			})
		}},
		{Name: "read", Work: here(read)},
		{Name: "join", Work: here(func(conn *pgx.Conn) (any, error) {
			return one[int](conn, "select count(*) from customers c join orders o on o.customer_id = c.id")
		})},
		{Name: "hidden", Work: here(func(conn *pgx.Conn) (any, error) {
			return code(exec(conn, "select ssn from customers where id = $1", 1)), nil
		})},
		{Name: "create", Work: here(func(conn *pgx.Conn) (any, error) {
			rows, _ := conn.Query(ctx, insert+" returning *", 1, 1, 5, "made")
			made, err := pgx.CollectExactlyOneRow(rows, pgx.RowToMap)
			if err != nil {
				return nil, err
			}
			if _, shown := made["margin"]; shown {
				return nil, errors.New("margin is shown")
			}
			must(conn.Exec(ctx, "delete from orders where id = $1", made["id"]))
			return object{"tenant_id": made["tenant_id"], "status": made["status"], "note": made["note"]}, nil
		})},
		{Name: "create_other", Work: here(func(conn *pgx.Conn) (any, error) {
			return code(exec(conn, insert, 2, 2, 5, nil)), nil
		})},
		{Name: "update", Work: here(func(conn *pgx.Conn) (any, error) {
			text := "update orders set note = 'changed' where id = $1"
			return object{"own": affected(conn, text, steps.OwnOrder), "other": affected(conn, text, steps.OthersOrder)}, nil
		})},
		{Name: "delete", Work: here(func(conn *pgx.Conn) (any, error) {
			made := must(one[int](conn, insert+" returning id", 1, 1, 5, nil))
			text := "delete from orders where id = $1"
			return object{"own": affected(conn, text, made), "other": affected(conn, text, steps.OthersOrder)}, nil
		})},
		{Name: "transaction", Work: here(transaction)},
		{Name: "batch", Work: here(batch)},
		{Name: "batch_refused", Work: here(refusedBatch)},
		{Name: "prepared", Work: here(prepared)},
		{Name: "cursor", Work: here(cursor)},
		{Name: "copy", Work: here(copied)},
		{Name: "error", Work: here(func(conn *pgx.Conn) (any, error) {
			var refusal *pgconn.PgError
			errors.As(exec(conn, "select * from tenants"), &refusal)
			return object{"code": refusal.Code, "detail": refusal.Detail, "hint": refusal.Hint}, nil
		})},
		{Name: "cancel", Work: here(cancel)},
		{Name: "notify", Work: here(notify)},
		{Name: "modes", Work: modes},
		{Name: "pool", Work: pool},
	})
}
