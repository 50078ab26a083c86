"""Many settings asked the same questions: sweeps of the decoding, ablations of the whole pipeline, results as data."""
