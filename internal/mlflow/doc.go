// Package mlflow sends finished training runs to an MLflow tracking server over
// its REST API (2.x and 3.x) and keeps them on disk while the server is away.
//
// A [Run] is plain data: parameters, metrics, tags, data sets, artifacts, child
// runs and a model to register. [Spool.Add] makes it durable, [Spool.Upload]
// sends it and forgets it on success; [Upload] sends a run that was never spooled.
// An upload can be repeated after any failure: a run, a logged model and a
// registered version are looked for before they are created, and metrics that are
// there are not sent again, so that a retry and a resumed upload are the same thing.
//
// The server is not trusted. Without a deadline of the caller's an upload ends
// within [OperationTimeout]; answers are read up to [MaxResponse] bytes; redirects
// stay on the same scheme and host; identifiers and artifact locations that the
// server names are checked before they are used. Credentials appear in no error.
package mlflow
