package mask_test

// corpusTexts are lines of the kind the corpus holds.
func corpusTexts() []string { return []string{"x"} }
