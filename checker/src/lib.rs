//! Decides whether a concurrent history is linearizable, inside a budget, and explains why not.
