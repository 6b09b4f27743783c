// Command quality measures what the shipped defaults are worth: on labelled
// records of real servers, on NAB, on generated incidents and on a recording of
// a real Telegraf, beside the rows that any detector has to beat. Fitting,
// joining and scoring are the product's own (package trainer drives the engine);
// only the baselines are written here.
package main
