// Command speed measures this project and its peers side by side, in turns, in
// one run on one machine: what a row costs to score and to explain, what a line
// costs on its way through Telegraf, memory, and how they grow.
//
// Costs are processor time, which other work on the machine disturbs least; of
// several rounds the best counts, since nothing makes a program faster than it is.
package main
