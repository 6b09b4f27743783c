package eval

// Confusion counts rows by flag and label.
type Confusion struct {
	TP, FP, FN, TN int
}

// Confuse counts flagged and labelled rows.
func Confuse(flag, label []bool) Confusion {
	sameLength("flags", len(flag), "labels", len(label))
	var c Confusion
	for i, flagged := range flag {
		switch {
		case flagged && label[i]:
			c.TP++
		case flagged:
			c.FP++
		case label[i]:
			c.FN++
		default:
			c.TN++
		}
	}
	return c
}

// Precision is TP / (TP + FP): the share of flags that are right, NaN without a
// flag.
func (c Confusion) Precision() float64 { return ratio(c.TP, c.TP+c.FP) }

// Recall is TP / (TP + FN): the share of positive rows that are flagged, NaN
// without a positive row.
func (c Confusion) Recall() float64 { return ratio(c.TP, c.TP+c.FN) }

// F1 is the harmonic mean of precision and recall, 2·TP / (2·TP + FP + FN): 0
// where nothing is flagged, NaN without a positive row.
func (c Confusion) F1() float64 {
	if c.TP+c.FN == 0 {
		return ratio(0, 0)
	}
	return ratio(2*c.TP, 2*c.TP+c.FP+c.FN)
}

// Flags marks the rows whose score is greater than threshold.
func Flags(score []float64, threshold float64) []bool {
	flag := make([]bool, len(score))
	for i, s := range score {
		flag[i] = s > threshold
	}
	return flag
}

// ratio is NaN where there is nothing to share out.
func ratio(part, whole int) float64 { return float64(part) / float64(whole) }
