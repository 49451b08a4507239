"""Labels and masks in, numbers out: confusion matrix, definitions, evaluation, report."""
