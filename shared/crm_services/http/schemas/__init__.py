"""The wire shapes: what each endpoint answers, under the contract's names."""
