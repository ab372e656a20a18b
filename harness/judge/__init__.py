"""What a judge model says of answers, and whether it may be believed."""
