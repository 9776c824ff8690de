//! How far LNet has come, what comes next, and what would stop it or lose it.
