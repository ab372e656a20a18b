"""Promptsets: what is asked, what a right answer is like, and proof that neither has changed."""
