//! What the clients of a Rashomon run ask for, and how their histories are checked.
