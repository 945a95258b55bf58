//! What a person or a CI job reads after a Rashomon run.
