// Package eval measures a detector against labels: how well its scores rank
// rows, which incidents its flags find and how soon, how often they cry wolf,
// and whether its explanations name the causes.
//
// Row i of every slice is the same moment. A score is higher where the row is
// stranger, a row is flagged where its score is greater than a threshold, and a
// NaN score (no verdict) ranks below all others, so that a detector gains
// nothing by staying silent. A figure that does not exist, such as the recall
// of a record without incidents, is NaN and left out of means. Slices of
// different lengths are a programmer's error and panic.
//
// # No point adjustment
//
// Many papers count every row of an incident as found once one of its rows is
// flagged, and quote the F1 of that. The measure is broken: long incidents are
// hit by chance, and a random score reaches an adjusted F1 of 0.8 to 0.9 on the
// Server Machine Dataset (Kim et al., "Towards a Rigorous Evaluation of
// Time-Series Anomaly Detection", AAAI 2022). Here rows are counted as rows
// (AveragePrecision, ROCAUC, F1) and incidents as incidents, always next to
// their price in false alarms (EventRecall, FalseAlarmsPerDay,
// RecallAtBudget).
package eval
